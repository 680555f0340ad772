"""The quarterly threat assessment (Policy 77): what is new, what comes, how sure, what came."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pocgeo.analyses.forecast import Forecast
from pocgeo.aoi import foreseen, phased, warned
from pocgeo.aoi.alarm_runs import month_end, months_before
from pocgeo.aoi.answers import finished
from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.standards import moment
from pocgeo.ground.errors import BadInput

__all__ = ["TABLES", "quarter_areas", "quarter_last", "quarter_new", "quarter_trust"]

FEWEST = 30
"""House default: incidents on record below which a category has no forecast of its own."""

LIKELY = 0.2
"""House default: a rise or fall of less than a fifth is called no change."""

MONTHS = 3
"""A quarter: what came is counted over as many months."""

KINDS = ("admin 2", "admin 1", "AOR")
"""Areas of the assessment: the finest that the AOI has."""

NEW_COLUMNS = ("news", "area", "news_says", "news_since_on")


def quarter_new(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """List what is new: alarms and areas in another phase than a quarter before."""
    parts = [alarm_news(index, as_of), phase_news(index, as_of)]
    table = pd.concat(parts, ignore_index=True)
    notes = ["An alarm is more than the forecast foresaw: a reason to look, not a prediction."]
    if table.empty:
        notes.append("No alarm and no change of phase. This does not mean that nothing threatens.")
    return told(table, index, as_of, "quarter_new", "What is new", notes)


def alarm_news(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Put every alarm into one sentence."""
    table, _ = warned.alarm_tables(index, as_of, "forecast", {})
    words = {"new": "New alarm", "ongoing": "Alarm goes on", "ended": "Alarm over"}
    numbers = table[["incidents_n", "alarm_expected"]].to_numpy(dtype=float).tolist()
    said = [
        f"{seen:.0f} incidents where {f'about {due:.0f}' if due >= 1 else 'less than 1'} "
        f"{'were' if due >= 1.5 else 'was'} foreseen"
        for seen, due in numbers
    ]
    return pd.DataFrame(
        {
            "news": table["status"].map(words).fillna("Alarm"),
            "area": table["place"] if "place" in table else table["grid_reference"],
            "news_says": pd.Series(said, index=table.index, dtype="str"),
            "news_since_on": table["window_from_on"],
        }
    )


def phase_news(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Put every area in another phase than a quarter before into one sentence."""
    if not any(code in index.known("cells") for code, _ in phased.KINDS.values()):
        return pd.DataFrame(columns=list(NEW_COLUMNS))
    areas = phased.phase_areas(index, as_of)
    changed = areas[areas["phase_changed"].fillna(value=False).astype(bool)]
    changed = changed[changed["area_kind"] == finest(set(areas["area_kind"]))]
    return pd.DataFrame(
        {
            "news": "Phase changed",
            "area": changed["area"],
            "news_says": "from " + changed["phase_before"] + " to " + changed["phase"],
            "news_since_on": changed["phase_since_on"],
        }
    )


def finest(kinds: set[str]) -> str:
    """Name the finest kind of area there is; the AOI where there is none."""
    return next((kind for kind in KINDS if kind in kinds), "AOI")


def quarter_areas(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Say what to expect next quarter: in all, by perpetrator, and by area."""
    made = foreseen.outlook(index, as_of)
    whole = made.areas[made.areas["area_kind"] == "AOI"].assign(area="Whole area")
    kind = finest(set(made.areas["area_kind"]))
    areas = made.areas[made.areas["area_kind"] == kind] if kind != "AOI" else whole.head(0)
    categories, thin = by_perpetrator(index, as_of)
    table = pd.concat([whole, categories, areas], ignore_index=True)
    table = table.rename(columns=foreseen.NAMES)
    usual = table["incidents_3m"]
    table["outlook"] = np.select(
        [
            table["forecast_incidents"] < 0.5,
            table["forecast_low"] > usual,
            table["forecast_high"] < usual,
            table["forecast_incidents"] > (1 + LIKELY) * usual,
            table["forecast_incidents"] < (1 - LIKELY) * usual,
        ],
        ["hardly any", "more than last quarter", "fewer than last quarter",
         "perhaps more", "perhaps fewer"],
        "about the same",
    )  # fmt: skip
    columns = ["area_kind", "area", "forecast_incidents", "forecast_low", "forecast_high",
               "incidents_3m", "outlook"]  # fmt: skip
    notes = [
        f"Months: {foreseen.months_in_words(made)}. In {made.standard.level:.0%} of quarters the "
        "number that comes should lie between the two ends. Areas share out the forecast of the "
        "whole; each category of perpetrator is forecast by itself, so they need not add up to it.",
    ]
    if thin:
        notes.append(f"Too few incidents for a forecast of their own: {', '.join(thin)}.")
    return told(table[columns], index, as_of, "quarter_areas", "What to expect next quarter", notes)


def by_perpetrator(index: Indexed, as_of: date | None) -> tuple[pd.DataFrame, list[str]]:
    """Forecast every category of perpetrator that has enough incidents; name the others."""
    at = moment(index, as_of)
    events, _ = foreseen.record_of(index, at, {})
    if "perpetrator" not in events:
        return pd.DataFrame(), []
    counts = events.groupby("perpetrator")["incident_id"].nunique().sort_values(ascending=False)
    parts, thin = [], []
    for name, count in counts.items():
        words = str(name).replace("_", " ")
        try:
            made = thick(index, as_of, str(name)) if count >= FEWEST else None
        except BadInput:
            made = None
        if made is None:
            thin.append(words)
            continue
        whole = made.areas[made.areas["area_kind"] == "AOI"]
        parts.append(whole.assign(area_kind="perpetrator", area=words))
    return (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()), thin


def thick(index: Indexed, as_of: date | None, name: str) -> Forecast:
    """Forecast one category of perpetrator."""
    return foreseen.outlook(index, as_of, {"perpetrator": (name,)})


def quarter_last(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Say what was forecast a quarter ago, from what was known then, and what came."""
    at = moment(index, as_of)
    months = foreseen.rules_of(index, None).months
    origin = months_before(month_end(at.at), months)
    try:
        before = foreseen.outlook(index, origin.date())
    except BadInput as reason:
        empty = pd.DataFrame(columns=["area_kind", "area", "forecast_incidents", "came_n"])
        return told(empty, index, as_of, "quarter_last", "Last time", [str(reason)])
    now = foreseen.outlook(index, as_of)
    kind = finest(set(before.areas["area_kind"]))
    recorded = "incidents_3m" if months == MONTHS else None
    held = before.areas[before.areas["area_kind"].isin({"AOI", kind})].rename(
        columns=foreseen.NAMES
    )
    keys = pd.MultiIndex.from_frame(held[["area_kind", "area_id"]])
    came = now.areas.set_index(["area_kind", "area_id"])
    held["came_n"] = came[recorded].reindex(keys).to_numpy() if recorded else np.nan
    held["area"] = held["area"].where(held["area_kind"] != "AOI", "Whole area")
    low, high, seen = (held[n] for n in ("forecast_low", "forecast_high", "came_n"))
    held["quarter_verdict"] = np.select(
        [seen > high + 0.5, seen < low - 0.5, seen.isna()],
        ["more than foreseen", "fewer than foreseen", "not known"],
        "within the range",
    )
    columns = ["area_kind", "area", "forecast_incidents", "forecast_low", "forecast_high",
               "came_n", "quarter_verdict"]  # fmt: skip
    areas = held[held["area_kind"] != "AOI"]
    right = int((areas["quarter_verdict"] == "within the range").sum())
    notes = [
        f"Forecast as of {origin:%d %b %Y}, from what was on record then. {right} of {len(areas)} "
        f"areas came out within their range; about {before.standard.level:.0%} should.",
    ]
    urgent = {"more than foreseen": 0, "fewer than foreseen": 1}
    order = held["quarter_verdict"].map(urgent).fillna(2)
    order = order.mask(held["area_kind"] == "AOI", -1)
    table = held.assign(order=order).sort_values(
        ["order", "came_n"], ascending=[True, False], kind="stable"
    )
    return told(
        table[columns], index, as_of, "quarter_last", "What we said last time, and what came", notes
    )


def quarter_trust(index: Indexed, as_of: date | None) -> pd.DataFrame:
    """Say in plain words how far the forecast can be trusted, from this area's own past."""
    try:
        made = foreseen.card(index, as_of)
    except BadInput as reason:
        rows = [("Has it been tested here?", f"No. {reason} Use it with great care.")]
        return trust_table(rows, index, as_of, ["No record of past forecasts."])
    score = made.scores.set_index("measure")["score_forecast"]
    rows = [("Does it know where?", where_words(score, made.scores))]
    expected = [name for name in score.index if str(name).startswith("Expected per")]
    if expected:
        rows.append(("Does it know how many?", how_many_words(float(score[expected[0]]))))
    rows += [("Are its chances honest?", words) for words in chance_words(made.reliability)]
    quiet = [name for name in score.index if "quiet" in str(name).lower()]
    if quiet:
        rows.append((
            "Does it see trouble in places quiet for a year?",
            f"Seldom. Of the incidents that came in such places, {score[quiet[0]]:.0%} fell into "
            "the 5 % of land it ranked highest. Local reporting must catch the rest.",
        ))  # fmt: skip
    better = made.differences
    if len(better):
        rows.append(("Is it better than assuming that last year goes on?", better_words(better)))
    return trust_table(rows, index, as_of, list(made.notes[:1]))


def where_words(score: pd.Series, table: pd.DataFrame) -> str:
    """Say how much of what came lay in the places ranked highest."""
    share = float(score["Share in top 5% of land"])
    plain = float(table.set_index("measure")["score_year"]["Share in top 5% of land"])
    return (
        f"Of 100 incidents that came, {100 * share:.0f} fell into the 5 % of land it ranked "
        f"highest; by last year's record alone {100 * plain:.0f} did."
    )


def how_many_words(ratio: float) -> str:
    """Say whether totals were too high or too low."""
    if 0.9 <= ratio <= 1.1:
        return "About right: the numbers expected and those that came are within a tenth."
    much = "too many" if ratio > 1 else "too few"
    return f"It expected {much}: {ratio:.2f} for each incident that came."


def chance_words(table: pd.DataFrame) -> list[str]:
    """Set chances given against what came, for a low and a high chance with enough cases."""
    enough = table[table["places_n"] >= 100]
    picked = enough[enough["chance_mean"] >= 0.02].iloc[[0, -1]] if len(enough) > 1 else enough
    pairs = picked.drop_duplicates("chance_mean")[["chance_mean", "came_share"]]
    said = [
        f"where it said {100 * given:.0f} in 100, an incident came in {100 * came:.0f} in 100"
        for given, came in pairs.to_numpy(dtype=float).tolist()
    ]
    return [f"Compare: {'; '.join(said)}."] if said else []


def better_words(table: pd.DataFrame) -> str:
    """Say whether the forecast beat the last 12 months, as the scorecard concludes."""
    row = table[
        table["against"].eq("the last 12 months") & table["measure"].str.startswith("Log score")
    ]
    said = str(row["conclusion"].iloc[0]) if len(row) else "too few to tell"
    return {
        "forecast better": "Yes, in how good its chances were; the difference is beyond luck.",
        "forecast worse": "No, it was worse; the difference is beyond luck. Read last year's map.",
    }.get(said, "Nobody can say yet: too few past quarters, or no difference beyond luck.")


def trust_table(
    rows: list[tuple[str, str]], index: Indexed, as_of: date | None, notes: list[str]
) -> pd.DataFrame:
    """Put questions and answers into a table."""
    table = pd.DataFrame(rows, columns=["trust_question", "trust_answer"])
    return told(table, index, as_of, "quarter_trust", "How sure we are", notes)


def told(
    table: pd.DataFrame, index: Indexed, as_of: date | None, name: str, title: str, notes: list[str]
) -> pd.DataFrame:
    """Finish one part of the assessment."""
    at = moment(index, as_of)
    held = table.reset_index(drop=True)
    held.attrs = {"notes": notes}
    made = finished(held, index, at, name, title)
    made.attrs |= {"kind": "ledger", "sensitivity": "restricted"}
    return made


def part(answer: Callable[[Indexed, date | None], pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Ask one part of an area."""
    return lambda aoi, day: answer(aoi.indexed, day)


TABLES: Mapping[str, Callable[..., Any]] = {
    "quarter_new": part(quarter_new),
    "quarter_areas": part(quarter_areas),
    "quarter_trust": part(quarter_trust),
    "quarter_last": part(quarter_last),
}
"""Parts of the assessment by name, as exports and the briefing call them."""
