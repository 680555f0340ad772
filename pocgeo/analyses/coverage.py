"""Coverage: which people, and how much risk, meet which standard, by AOI, AOR and admin area."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["AREA_KINDS", "CoverageStandard", "coverage", "judged"]

AREA_KINDS = {  # area_kind -> (id column, name column) of the picture
    "AOR": ("aor_id", "aor"),
    "admin 1": ("admin1_id", "admin1"),
    "admin 2": ("admin2_id", "admin2"),
}
MEASURES = ("reach", "presence", "alert")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageStandard:
    """Which standards a cell must meet for its people to count as covered."""

    reach_min: float | None = 60.0
    """Greatest minutes from the quickest base, readiness included; None: reach is not asked."""

    presence_days: float | None = 14.0
    """Greatest days since a patrol last stayed in sight; None: presence is not asked."""

    alert: bool = False
    """Whether an alert network counts as a standard of its own."""

    require: str = "any"
    """"any": one met standard covers; "all": every standard asked for must be met."""

    min_risk: float = 0.0
    """People in cells below this risk (0-1) are not counted as people at risk."""

    def __post_init__(self) -> None:
        for name in ("reach_min", "presence_days"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise BadInput(f"{name} must be more than 0, got {value:g}.")
        if self.require not in {"any", "all"}:
            raise BadInput(f"require must be any or all, got {self.require!r}.")
        if not 0 <= self.min_risk <= 1:
            raise BadInput(f"min_risk must lie between 0 and 1, got {self.min_risk:g}.")
        if not self.asked:
            raise BadInput("No standard is asked for: give reach, presence or alert.")

    @property
    def asked(self) -> tuple[str, ...]:
        """Names of the standards asked for."""
        wanted = (self.reach_min is not None, self.presence_days is not None, self.alert)
        return tuple(name for name, on in zip(MEASURES, wanted, strict=True) if on)


def judged(picture: pd.DataFrame, standard: CoverageStandard) -> pd.DataFrame:
    """Judge every cell by every standard.

    Parameters
    ----------
    picture : DataFrame, n rows, one per cell
        `cell`, `people_persons`; `reach_min` (minutes), `days_since_presence` (days; NA: never in
        the record), `alert` (boolean), `risk` (0-1). A column that is absent is a question nobody
        can answer yet: its verdict is NA, and NA never covers.

    Returns
    -------
    DataFrame, n rows
        The picture with `covered_reach`, `covered_presence`, `covered_alert` (boolean, NA where
        unknown), `covered` and `at_risk` (bool), `gap_persons` (persons, NA where people are).

    Raises
    ------
    MissingColumns
        `cell` or `people_persons` is absent.
    """
    require_columns(picture, "picture", ["cell", "people_persons"])
    verdicts = pd.DataFrame(index=picture.index)
    verdicts["covered_reach"] = within(picture, "reach_min", standard.reach_min)
    verdicts["covered_presence"] = within(picture, "days_since_presence", standard.presence_days)
    verdicts["covered_alert"] = (
        picture["alert"].astype("boolean")
        if "alert" in picture
        else pd.Series(pd.NA, index=picture.index, dtype="boolean")
    )
    asked = np.column_stack(
        [verdicts[f"covered_{name}"].fillna(value=False).to_numpy(bool) for name in standard.asked]
    )
    met = asked.any(axis=1) if standard.require == "any" else asked.all(axis=1)
    verdicts["covered"] = pd.Series(met, index=picture.index)
    risk = picture["risk"] if "risk" in picture else pd.Series(np.nan, index=picture.index)
    verdicts["at_risk"] = risk.isna() | (risk >= standard.min_risk)
    people = picture["people_persons"].astype("float64")
    verdicts["gap_persons"] = people.where(~verdicts["covered"] & verdicts["at_risk"], 0.0).where(
        people.notna()
    )
    return picture.drop(columns=verdicts.columns, errors="ignore").join(verdicts)


def within(picture: pd.DataFrame, column: str, limit: float | None) -> pd.Series:
    """Compare a column with its limit; NA where the column is absent or the limit not asked."""
    if limit is None or column not in picture:
        return pd.Series(pd.NA, index=picture.index, dtype="boolean")
    return (picture[column] <= limit).astype("boolean")


def coverage(cells: pd.DataFrame, standard: CoverageStandard) -> pd.DataFrame:
    """Add up who is covered, by AOI, AOR and admin area.

    Parameters
    ----------
    cells : DataFrame, n rows
        What `judged` returns, with the area columns of the lattice (`aor_id`, `admin1_id` ...).
    standard : CoverageStandard
        The standard the cells were judged by.

    Returns
    -------
    DataFrame, one row per area
        `area_kind`, `area_id`, `area`, `people_persons`, `covered_reach_persons`,
        `covered_presence_persons`, `covered_alert_persons` (NA: nobody can say),
        `covered_any_persons`, `covered_all_persons`, `covered_share` (0-1, of people, by the
        standard's own rule), `gap_persons`, `risk_persons`, `covered_risk_share` (0-1).
        Areas of one kind add up to the AOI, to the person; cells outside every area of a kind
        form a row named "no area".
    """
    sums = summands(cells, standard)
    tables = [totals(sums.assign(area_id="AOI", area="whole AOI"), "AOI")]
    for kind, (id_column, name_column) in AREA_KINDS.items():
        if id_column in cells and cells[id_column].notna().any():
            named = sums.assign(
                area_id=cells[id_column].fillna("none"), area=cells[name_column].fillna("no area")
            )
            tables.append(totals(named, kind))
    table = pd.concat(tables, ignore_index=True)
    table["covered_share"] = share(table.pop("covered_persons"), table["people_persons"])
    table["covered_risk_share"] = share(table.pop("covered_risk_persons"), table["risk_persons"])
    return with_standard(table, "Who is covered, by which standard?", coverage=standard)


def summands(cells: pd.DataFrame, standard: CoverageStandard) -> pd.DataFrame:
    """Persons of each cell, split by verdict: what the areas add up."""
    people = cells["people_persons"].astype("float64")
    risk = cells["risk_persons"] if "risk_persons" in cells else people * np.nan
    sums = pd.DataFrame({"people_persons": people})
    for name in MEASURES:
        verdict = cells[f"covered_{name}"]
        sums[f"covered_{name}_persons"] = people.where(
            verdict.fillna(value=False).astype(bool), 0.0
        ).where(verdict.notna())
    asked = np.column_stack(
        [cells[f"covered_{name}"].fillna(value=False).to_numpy(bool) for name in standard.asked]
    )
    for name, met in (("any", asked.any(axis=1)), ("all", asked.all(axis=1))):
        sums[f"covered_{name}_persons"] = people.where(pd.Series(met, index=cells.index), 0.0)
    sums["gap_persons"] = cells["gap_persons"]
    sums["risk_persons"] = risk
    sums["covered_persons"] = people.where(cells["covered"], 0.0)
    sums["covered_risk_persons"] = risk.where(cells["covered"], 0.0)
    return sums


def totals(sums: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Sum by area; a total of nothing known stays unknown."""
    table = sums.groupby(["area_id", "area"], as_index=False, sort=True).sum(min_count=1)
    table.insert(0, "area_kind", kind)
    return table


def share(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Part of a whole, 0-1; NA where the whole is nothing or unknown."""
    return (part / whole.where(whole > 0)).astype("float64")
