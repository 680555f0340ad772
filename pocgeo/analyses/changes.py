"""What changed between two briefings: areas, gap areas, bases and cells, and whether it matters."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import binom

from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns

__all__ = ["CHANGES", "Compared", "what_changed"]

COLUMNS = [
    "changed_kind",
    "changed",
    "changed_measure",
    "value_before",
    "value_now",
    "changed_by",
    "meaning",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One measure of one table that two briefings have."""

    table: str
    """Name of the finding."""

    kind: str
    """What a row is: area, gap area, base, cell."""

    key: str
    """Column that names the row for good."""

    name: str
    """Column that people read."""

    column: str
    """The measure."""

    label: str
    """The measure in words, its unit included."""

    how: str
    """people: a change matters from `CHANGES.people_share` of what it was; counts: tested as a
    rate over the days before and since; came: the row itself coming and going."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStandard:
    """When a change is worth a commander's minute."""

    people_share: float = 0.05
    """A number of people that moved by less than this part is not listed, 0-1."""

    least_persons: float = 100.0
    """Nor one that moved by fewer people than this."""

    level: float = 0.05
    """Error rate of the test of counts, 0-1."""

    compared: tuple[Compared, ...] = field(
        default=(
            Compared(table="coverage", kind="area", key="area_key", name="area",
                     column="gap_persons", label="People in the gap (persons)", how="people"),
            Compared(table="gaps", kind="gap area", key="gap_area_id", name="place",
                     column="gap_persons", label="People in the gap (persons)", how="people"),
            Compared(table="proximity", kind="base", key="base_id", name="name",
                     column="people_persons", label="People within the radius (persons)",
                     how="people"),
            Compared(table="proximity", kind="base", key="base_id", name="name",
                     column="incidents_inside", label="Incidents inside the radius",
                     how="counts"),
            Compared(table="flagged", kind="cell", key="cell", name="settlement",
                     column="disk_incidents", label="Hotspot", how="came"),
        )
    )  # fmt: skip
    """What is held against one another."""

    def __post_init__(self) -> None:
        if not 0 < self.people_share < 1 or not 0 < self.level < 1:
            raise BadInput("people_share and level lie between 0 and 1.")


CHANGES = ChangeStandard()


def what_changed(
    before: Mapping[str, pd.DataFrame],
    after: Mapping[str, pd.DataFrame],
    *,
    days_before: float,
    days_since: float,
    standard: ChangeStandard = CHANGES,
) -> pd.DataFrame:
    """Name what changed since an earlier briefing, and say whether it is more than noise.

    Parameters
    ----------
    before, after : mapping of finding to DataFrame
        The findings as they were released then and now, with the columns of `Compared`. A finding
        that only one of them has is left out.
    days_before : float
        Days of the period that the earlier briefing counted incidents over.
    days_since : float
        Days between the ends of the data of the two.

    Returns
    -------
    DataFrame, one row per change, the gravest first within each kind
        `changed_kind`, `changed` (name), `changed_measure`, `value_before`, `value_now`,
        `changed_by` (NA where there was or is no row), `meaning` (words).

    Notes
    -----
    New incidents of a base are tested against its own earlier rate: of n incidents in all, as many
    or more fall into the days since with a binomial probability of share days_since / (days_before
    + days_since) where the rate has not changed (Przyborowski and Wilenski, 1940,
    doi:10.2307/2332612). People counts are not samples: a change is listed by its size.
    """
    if days_before <= 0 or days_since < 0:
        raise BadInput("The earlier briefing must have a period, and not be newer than this one.")
    parts = []
    for item in standard.compared:
        if item.table in before and item.table in after:
            old, new = (named(side[item.table], item) for side in (before, after))
            parts.append(changes(item, old, new, (days_before, days_since), standard))
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return found.astype(
        {"value_before": "float64", "value_now": "float64", "changed_by": "float64"}
    )


def named(table: pd.DataFrame, item: Compared) -> pd.DataFrame:
    """Give key, name and measure of each row, once."""
    require_columns(table, item.table, [item.key, item.name, item.column])
    kept = table[[item.key, item.name, item.column]].dropna(subset=[item.key])
    kept = kept.set_axis(["key", "name", "value"], axis=1).drop_duplicates("key")
    kept["key"] = kept["key"].astype(str)
    kept["value"] = pd.to_numeric(kept["value"], errors="coerce").astype("float64")
    return kept.set_index("key")


def changes(
    item: Compared,
    old: pd.DataFrame,
    new: pd.DataFrame,
    days: tuple[float, float],
    standard: ChangeStandard,
) -> pd.DataFrame:
    """Find the rows of one measure that changed enough."""
    both = old.add_suffix("_old").join(new.add_suffix("_new"), how="outer")
    was, now = both["value_old"].to_numpy(), both["value_new"].to_numpy()
    there_then = both.index.isin(old.index)
    there_now = both.index.isin(new.index)
    name = both["name_new"].fillna(both["name_old"])
    if item.how == "came":
        kept, meaning = came(there_then, there_now)
    elif item.how == "counts":
        kept, meaning = more_often(was, now, days, standard.level)
    else:
        kept, meaning = moved(was, now, there_then, there_now, standard)
    table = pd.DataFrame(
        {
            "changed_kind": item.kind,
            "changed": name.astype("string").fillna("without a name").to_numpy(),
            "changed_measure": item.label,
            "value_before": was,
            "value_now": now,
            "changed_by": now - was,
            "meaning": meaning,
        }
    )
    weight = np.abs(np.nan_to_num(now) - np.nan_to_num(was))
    order = np.argsort(-weight, kind="stable")
    listed: pd.DataFrame = table.iloc[order[kept[order]]].reset_index(drop=True)
    return listed


def came(there_then: np.ndarray, there_now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell rows that came from rows that went."""
    meaning = np.where(there_now, "new since the last briefing", "no longer flagged")
    return there_then != there_now, meaning.astype(object)


def moved(
    was: np.ndarray,
    now: np.ndarray,
    there_then: np.ndarray,
    there_now: np.ndarray,
    standard: ChangeStandard,
) -> tuple[np.ndarray, np.ndarray]:
    """Tell numbers of people that moved by enough to matter."""
    old, new = np.nan_to_num(was), np.nan_to_num(now)
    size = np.abs(new - old)
    share = np.divide(size, old, out=np.full_like(size, np.inf), where=old > 0)
    known = (~np.isnan(was) | ~there_then) & (~np.isnan(now) | ~there_now)
    kept = known & (size >= standard.least_persons) & (share >= standard.people_share)
    meaning = [
        "new" if not then else "gone" if not here
        else f"{100 * part:.0f} % {'more' if b > a else 'fewer'} than before"
        for then, here, a, b, part in zip(there_then, there_now, old, new, share, strict=True)
    ]  # fmt: skip
    return kept, np.array(meaning, dtype=object)


def more_often(
    was: np.ndarray, now: np.ndarray, days: tuple[float, float], level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Test the incidents since against the rate before; a count that fell is a correction."""
    known = ~np.isnan(was) & ~np.isnan(now)
    fresh = np.where(known, now - was, 0.0)
    total = np.where(known, np.maximum(now, was), 0.0)
    share = days[1] / (days[0] + days[1])
    p = np.where(fresh > 0, binom.sf(np.ceil(fresh) - 1, np.ceil(total), share), 1.0)
    meaning = [
        "fewer than before: the data were corrected" if n < 0
        else f"{n:g} new; {'beyond' if each <= level else 'within'} the earlier rate (p {each:.2g})"
        for n, each in zip(fresh, p, strict=True)
    ]  # fmt: skip
    return known & (fresh != 0), np.array(meaning, dtype=object)
