"""Rows that stand twice, and keys that name two things."""

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pocgeo.layers.rows import RowAccount
from pocgeo.layers.spec import LayerSpec
from pocgeo.layers.texts import as_text

__all__ = ["reject_exact_duplicates", "reject_repeated_keys", "unlike_keys", "with_keys"]

REASON = "exact duplicate"


def reject_exact_duplicates(
    raw: pd.DataFrame, fields: pd.DataFrame, spec: LayerSpec, account: RowAccount
) -> None:
    """Reject what stands twice, keeping the first.

    A fix is a duplicate when unit, patrol, time and place are equal, whatever number the export
    gave it; any other row when all of its source columns are.
    """
    live = account.live
    if spec.geometry == "track":
        table = fields[["unit_id", "patrol_id", "fix_at", "lon", "lat"]]
    else:
        table = pd.DataFrame({str(name): comparable(raw[name]) for name in raw.columns})
    repeated = np.zeros(len(table), dtype=bool)
    repeated[live] = table[live].duplicated().to_numpy()
    account.reject(repeated, "", REASON)


def comparable(column: pd.Series) -> Any:
    """Turn a column into what can be compared: geometry as bytes, the rest as text."""
    if column.name == "geometry":
        return shapely.to_wkb(column.to_numpy())
    return as_text(column).to_numpy(dtype=object, na_value="")


def with_keys(
    fields: pd.DataFrame, spec: LayerSpec, account: RowAccount, stem: str
) -> pd.DataFrame:
    """Give rows without a key one made of file name and row number, and say so."""
    made = pd.Series([f"{stem}-{row}" for row in account.source_rows], index=fields.index)
    for key in spec.keys:
        empty = fields[key].isna()
        if empty.all() and len(empty):
            account.note(f"no {key}: made of file name and row number", field=key)
        else:
            account.repair(empty, key, "missing: made of file name and row number")
        fields[key] = fields[key].where(~empty, made)
    return fields


def reject_repeated_keys(
    fields: pd.DataFrame, keeps: NDArray[np.bool_], spec: LayerSpec, account: RowAccount
) -> None:
    """Reject rows whose key an earlier row has: all else equal or not, the reason says."""
    for key in spec.keys:
        held = keeps & account.live
        repeated = np.zeros(len(fields), dtype=bool)
        repeated[held] = fields.loc[held, key].duplicated().to_numpy()
        if not repeated.any():
            continue
        table = fields.drop(columns="geometry", errors="ignore").astype("string").fillna("")
        if "geometry" in fields:
            table["geometry"] = shapely.to_wkb(fields["geometry"].to_numpy(), hex=True)
        alike = np.zeros(len(fields), dtype=bool)
        alike[held] = table[held].duplicated().to_numpy()
        account.reject(repeated & alike, key, REASON)
        account.reject(repeated & ~alike, key, "the key of an earlier row")


def unlike_keys(
    frames: list[pd.DataFrame], spec: LayerSpec, accounts: list[RowAccount]
) -> list[pd.DataFrame]:
    """Tell keys apart that two sources share: the later gets its file's name before it."""
    if len(frames) < 2:
        return frames
    told: list[pd.DataFrame] = []
    for key in spec.keys:
        taken: set[object] = set()
        told = []
        for frame, account in zip(frames, accounts, strict=True):
            shared = frame[key].isin(taken)
            if shared.any():
                stem = account.source.rsplit(".", 1)[0]
                named = stem + ":" + frame[key].astype(object)
                frame = frame.assign(**{key: frame[key].where(~shared, named)})  # noqa: PLW2901
                account.note(
                    f"{int(shared.sum())} keys are those of an earlier source: {stem}: put before",
                    field=key,
                )
            taken |= set(frame[key])
            told.append(frame)
        frames = told
    return frames
