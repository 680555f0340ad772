"""What people decided about the phase of an area, beside what was computed; never instead of it."""

from collections.abc import Iterable, Sequence

import pandas as pd

from pocgeo.analyses.phases.rules import PHASES
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.ground.frames import require_columns

__all__ = ["COLUMNS", "checked_decisions", "with_decisions"]

COLUMNS = ("area_id", "phase", "by", "on", "reason")
SHOWN = ("area_id", "confirmed_phase", "confirmed_by", "confirmed_on", "confirmed_reason")


def checked_decisions(
    rows: pd.DataFrame, areas: Iterable[str], as_of: pd.Timestamp, name: str
) -> pd.DataFrame:
    """Check the decisions of people on phases, row by row.

    Parameters
    ----------
    rows : DataFrame of text
        `area_id`, `phase`, `by` (who), `on` (a day, 2026-07-01), `reason`.
    areas : known codes of areas
    as_of : the day as of which is asked; later decisions are left out
    name : what messages call the file

    Returns
    -------
    DataFrame, one row per area: the latest decision known on the day
        `area_id`, `confirmed_phase`, `confirmed_by`, `confirmed_on`, `confirmed_reason`.

    Raises
    ------
    MissingColumns, UnknownName, BadInput
        The message names the file and the row (the heading is row 1).
    """
    require_columns(rows, name, COLUMNS)
    known = set(areas)
    said = rows[list(COLUMNS)].astype(object).where(rows[list(COLUMNS)].notna(), "")
    made = [
        checked_row([str(value).strip() for value in row], known, f"{name}, row {at}")
        for at, row in enumerate(said.itertuples(index=False), 2)
    ]
    table = pd.DataFrame(made, columns=list(SHOWN))
    table["confirmed_on"] = pd.to_datetime(table["confirmed_on"])
    twice = table.duplicated(["area_id", "confirmed_on"], keep=False)
    if twice.any():
        area = table.loc[twice, "area_id"].iloc[0]
        raise BadInput(
            f"{name}: {area} has two decisions of the same day. Keep the one that holds."
        )
    table = table[table["confirmed_on"] <= as_of].sort_values(["area_id", "confirmed_on"])
    return table.drop_duplicates("area_id", keep="last").reset_index(drop=True)


def checked_row(row: Sequence[str], known: set[str], where: str) -> tuple[object, ...]:
    """Check one decision."""
    area, phase, who, day, why = row
    if area not in known:
        raise UnknownName(f"area ({where}, area_id)", area, known)
    if phase not in PHASES:
        raise UnknownName(f"phase ({where})", phase, PHASES)
    for field, value in (("by", who), ("reason", why)):
        if not value:
            raise BadInput(f"{where}: {field} is empty. Say who decided, and why.")
    return area, phase, who, day_of(day, where), why


def day_of(text: str, where: str) -> pd.Timestamp:
    """Read a day as 2026-07-01."""
    try:
        return pd.to_datetime(text, format="%Y-%m-%d")
    except ValueError as error:
        raise BadInput(f"{where}: on is {text!r}. Write the day as 2026-07-01.") from error


def with_decisions(areas: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Put the decisions beside the computed phases.

    Returns
    -------
    DataFrame
        `areas` with the columns of `checked_decisions` and `decision`: "confirmed",
        "overridden" (people say another phase), "to be looked at again" (the computed phase
        changed after the decision), or "not yet confirmed".
    """
    table = areas.merge(decisions, on="area_id", how="left")
    table.attrs = dict(areas.attrs)
    said = table["confirmed_phase"].notna()
    later = table["phase_since_on"].notna() & (table["phase_since_on"] > table["confirmed_on"])
    same = table["confirmed_phase"].astype(object) == table["phase"].astype(object)
    table["decision"] = "not yet confirmed"
    table.loc[said & same, "decision"] = "confirmed"
    table.loc[said & ~same, "decision"] = "overridden"
    table.loc[said & ~same & later, "decision"] = "to be looked at again"
    return table
