"""The review list: harm to civilians near a base, with what was on record before it.

Policy 87 (DPO 2023.05): civilians killed or harmed near a base, or where the mission knew or
should have known, require an inquiry or after-action review.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.analyses.bases import days_of, numbers_of, words_of
from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["harm_recorded", "review_list", "review_pairs"]

WATCH_DAYS = 90
FACTS = (
    "occurred_on", "ended_on", "reported_on", "incident_type", "perpetrator",
    "against_civilians", "killed_civilians_persons", "harmed_civilians_persons",
)  # fmt: skip


def harm_recorded(incidents: pd.DataFrame) -> pd.Series:
    """Say whether civilians were killed or harmed: "recorded", "unknown" or "none".

    "none" only where both counts are known to be 0.
    """
    killed = numbers_of(incidents, "killed_civilians_persons")
    harmed = numbers_of(incidents, "harmed_civilians_persons")
    words = pd.Series("unknown", index=incidents.index, dtype=object)
    words[(killed == 0) & (harmed == 0)] = "none"
    words[(killed > 0) | (harmed > 0)] = "recorded"
    return words


def to_review(incidents: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which incidents ask for a review wherever they lie near a base.

    Civilians recorded as killed or harmed, whoever was aimed at; or an incident known to be
    against civilians whose harm is unknown (house definition: unknown is not none).
    """
    harm = harm_recorded(incidents)
    aimed = words_of(incidents, "against_civilians").map(lambda is_so: is_so is not None and is_so)
    return ((harm == "recorded") | ((harm == "unknown") & aimed.astype(bool))).to_numpy(bool)


def review_pairs(verdicts: pd.DataFrame, incidents: pd.DataFrame) -> pd.DataFrame:
    """Keep the pairs of incident and base, inside or undecided, that ask for a review.

    Parameters
    ----------
    verdicts : DataFrame
        What `verdict_table` returns for the incidents.
    incidents : DataFrame
        `incident_id`, `occurred_on`; casualty columns where known.

    Returns
    -------
    DataFrame
        The pairs, `place_id` renamed to `incident_id`, with the incident's facts and `harm`.
    """
    require_columns(verdicts, "verdicts", ["place_id", "base_id", "distance_m", "verdict"])
    require_columns(incidents, "incidents", ["incident_id", "occurred_on"])
    if incidents["incident_id"].duplicated().any():
        raise BadInput("incidents: incident_id is not unique. Give every incident its own code.")
    facts = incidents[["incident_id", *(name for name in FACTS if name in incidents.columns)]]
    facts = facts.assign(harm=harm_recorded(incidents).to_numpy())[to_review(incidents)]
    near = verdicts[verdicts["verdict"] != "outside"].rename(columns={"place_id": "incident_id"})
    return near.merge(pd.DataFrame(facts), on="incident_id", how="inner")


def review_list(
    verdicts: pd.DataFrame,
    incidents: pd.DataFrame,
    *,
    watch_days: int = WATCH_DAYS,
    days_since_presence: pd.Series | None = None,
) -> pd.DataFrame:
    """List the incidents that ask for an inquiry or review, with what was known before them.

    Parameters
    ----------
    verdicts : DataFrame
        What `verdict_table` returns for the incidents.
    incidents : DataFrame
        `incident_id`, `occurred_on`; `reported_on`, casualty columns, `perpetrator`,
        `against_civilians` where known.
    watch_days : int
        How many days before the incident count as "before" (house default 90).
    days_since_presence : Series by incident_id, optional
        Days since a patrol was last in sight of the place, on the day of the incident.

    Returns
    -------
    DataFrame, one row per incident; inside before undecided, most killed first
        The incident's facts; `base_id`, `distance_m`, `error_m`, `verdict`, `why` of the base
        that decides; `bases_n`: bases within whose radius it lies or may lie; `before_n`:
        incidents inside or undecided at that base in the days before; `known_before_n`: of these,
        reported no later than the day of the incident; `unknown_when_n`: of these, with no day
        of report; `days_since_known`: since the last of the known; `days_since_presence`.
    """
    rows = deciding(review_pairs(verdicts, incidents))
    rows = rows.join(known_before(rows, verdicts, incidents, watch_days))
    rows["days_since_presence"] = (
        np.nan
        if days_since_presence is None
        else rows["incident_id"].map(days_since_presence).astype("float64")
    )
    rows["killed"] = numbers_of(rows, "killed_civilians_persons")
    rows = rows.sort_values(
        ["rank", "killed", "occurred_on", "incident_id"],
        ascending=[True, False, False, True], kind="stable", ignore_index=True,
    )  # fmt: skip
    rows = rows.drop(columns=["rank", "likely_m", "killed"])
    return with_standard(
        rows,
        "Which harm near a base asks for a review, and what was known before it?",
        review={"watch_days": watch_days},
    )


def deciding(pairs: pd.DataFrame) -> pd.DataFrame:
    """Keep of each incident the base that decides: inside first, then the likeliest."""
    rank = pairs["verdict"].map({"inside": 0, "undecided": 1})
    likely = pairs["distance_m"] - pairs["error_m"]
    pairs = pairs.assign(rank=rank, likely_m=likely)
    pairs["bases_n"] = pairs.groupby("incident_id")["base_id"].transform("size")
    pairs = pairs.sort_values(["rank", "likely_m", "base_id"], kind="stable")
    return pairs.drop_duplicates("incident_id").reset_index(drop=True)


def known_before(
    rows: pd.DataFrame, verdicts: pd.DataFrame, incidents: pd.DataFrame, watch_days: int
) -> pd.DataFrame:
    """Count, for each row, the incidents near its base in the days before its own first day."""
    days = pd.DataFrame(
        {
            "place_id": incidents["incident_id"].to_numpy(),
            "day": days_of(incidents, "occurred_on").to_numpy(),
            "told": days_of(incidents, "reported_on").to_numpy(),
        }
    ).dropna(subset=["day"])
    near = verdicts.loc[verdicts["verdict"] != "outside", ["place_id", "base_id"]]
    near = near.merge(days, on="place_id").sort_values(["base_id", "day"], ignore_index=True)
    order = {base: code for code, base in enumerate(near["base_id"].unique())}
    key = order_key(near["base_id"].map(order), near["day"])
    whose, day = rows["base_id"].map(order).fillna(-1), days_of(rows, "occurred_on")
    until = np.searchsorted(key, order_key(whose, day))
    since = np.searchsorted(key, order_key(whose, day - pd.Timedelta(days=watch_days)))
    counts = np.where(day.isna(), 0, until - since)
    row = np.repeat(np.arange(len(rows)), counts)
    one = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + since[row]
    told, on = near["told"].to_numpy()[one], day.to_numpy()[row]
    known = told <= on
    total = np.bincount(row, minlength=len(rows)).astype("float64")
    sure = np.bincount(row[known], minlength=len(rows)).astype("float64")
    blank = np.bincount(row[np.isnat(told)], minlength=len(rows)).astype("float64")
    ago = (on - near["day"].to_numpy()[one]) / np.timedelta64(1, "D")
    last = np.full(len(rows), np.inf)
    np.minimum.at(last, row[known], ago[known])
    no_day = day.isna().to_numpy()
    return pd.DataFrame(
        {
            "before_n": np.where(no_day, np.nan, total),
            "known_before_n": np.where(no_day, np.nan, sure),
            "unknown_when_n": np.where(no_day, np.nan, blank),
            "days_since_known": np.where(np.isinf(last), np.nan, last),
        },
        index=rows.index,
    )


def order_key(base: pd.Series, day: pd.Series) -> NDArray[np.int64]:
    """One sortable number for a base and a day."""
    days = day.fillna(pd.Timestamp(0)).to_numpy().astype("datetime64[D]").astype("int64")
    key: NDArray[np.int64] = base.to_numpy("int64") * 10_000_000 + days
    return key
