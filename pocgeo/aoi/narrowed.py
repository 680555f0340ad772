"""Which rows of a finding are wanted: by AOR, admin area, people, nearness to a place."""

import numpy as np
import pandas as pd

from pocgeo.aoi.indexed import Indexed
from pocgeo.aoi.standards import Narrowing
from pocgeo.ground.errors import UnknownName
from pocgeo.ground.nearness import nearest

__all__ = ["narrowed"]

AREA_COLUMNS = {"aor": ("aor_id", "aor"), "admin": ("admin1_id", "admin1", "admin2_id", "admin2")}
PLACE_LAYERS = {
    "settlements": ("settlement_id", "name"),
    "sites": ("site_id", "name"),
    "bases": ("base_id", "name"),
}


def narrowed(table: pd.DataFrame, index: Indexed, wanted: Narrowing) -> pd.DataFrame:
    """Keep the gap areas that are asked for; ranks stay those of the whole list.

    Raises
    ------
    UnknownName
        No AOR, admin area or place has that name.
    """
    kept = table
    for kind, columns in AREA_COLUMNS.items():
        name = wanted.get(kind)
        if name is not None:
            cells = index.known("cells")
            check_name(kind, str(name), cells, columns)
            kept = kept[matches(kept, str(name), columns)]
    if wanted.get("min_people") is not None:
        kept = kept[kept["gap_persons"] >= float(wanted["min_people"] or 0)]
    near = wanted.get("near")
    if near is not None:
        kept = near_to(kept, index, near, 1_000 * wanted.get("within_km", 30.0))
    kept = kept.reset_index(drop=True)
    kept.attrs = dict(table.attrs)
    said = {name: value for name, value in wanted.items() if value is not None}
    if near is None:
        said.pop("within_km", None)
    if said:
        kept.attrs["standard"] = {**table.attrs.get("standard", {}), "narrowed": said}
    return kept


def matches(table: pd.DataFrame, name: str, columns: tuple[str, ...]) -> pd.Series:
    """Rows where any of the columns holds the name, case aside."""
    hit = pd.Series(data=False, index=table.index)
    for column in columns:
        if column in table:
            hit |= table[column].astype("string").str.casefold().eq(name.casefold()).fillna(False)
    return hit


def check_name(kind: str, name: str, cells: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Refuse a name that no area has."""
    if not matches(cells[list(columns)].drop_duplicates(), name, columns).any():
        label = {"aor": "AOR", "admin": "admin area"}[kind]
        known = pd.unique(cells[list(columns)].to_numpy().ravel())
        raise UnknownName(label, name, [str(item) for item in known if isinstance(item, str)])


def near_to(table: pd.DataFrame, index: Indexed, place: str, within_m: float) -> pd.DataFrame:
    """Gap areas whose leading cell lies within the distance of a named place, with `distance_m`."""
    shapes, names = [], []
    for layer, columns in PLACE_LAYERS.items():
        frame = index.table(layer)
        if frame is None:
            continue
        present = tuple(column for column in columns if column in frame)
        hit = matches(frame, place, present)
        shapes += list(frame.geometry[hit])
        names += [str(name) for name in frame[present[-1]].dropna().unique()]
    if not shapes:
        raise UnknownName("settlement, site or base", place, names)
    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    found = nearest(lon, lat, np.array(shapes, dtype=object))
    kept = table.assign(distance_m=found.distance_m)
    return kept[kept["distance_m"] <= within_m]
