"""Whether an incident makes another soon and near more likely than place and season alone do."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pocgeo.ground.errors import BadInput
from pocgeo.ground.frames import require_columns, with_standard

__all__ = ["KnoxTest", "near_repeat"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

EARTH_KM = 6_371.0088
"""Mean radius of the Earth; bands of kilometres do not feel the flattening."""

CHUNK = 2_000_000
"""Pairs counted at a time: about 50 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnoxTest:
    """Bands of distance and of time, and how sure a finding must be."""

    km: tuple[float, ...] = (1.0, 5.0, 10.0, 20.0)
    """Outer edges of the bands of distance, kilometres, ascending; the first starts at 0."""

    days: tuple[float, ...] = (7.0, 14.0, 28.0, 56.0)
    """Outer edges of the bands of time, days, ascending; the first starts at 0."""

    level: float = 0.05
    """Greatest p of a finding."""

    least_ratio: float = 1.2
    """Least ratio of observed to expected pairs of a finding."""

    simulations: int = 199
    """Times the days are shuffled over the incidents."""

    seed: int = 20_260_701
    """Where the shuffling starts."""

    most_pairs: int = 20_000_000
    """Pairs within the widest distance that are worked through at most."""

    def __post_init__(self) -> None:
        for name, edges in (("km", self.km), ("days", self.days)):
            if not edges or list(edges) != sorted(set(edges)) or not edges[0] >= 0:
                raise BadInput(f"{name} of a near-repeat test must ascend from 0, got {edges}.")
        if (self.simulations + 1) * self.level < 1 - 1e-9:
            raise BadInput(
                f"{self.simulations} simulations cannot show a level of {self.level:g}: "
                f"ask for at least {int(np.ceil(1 / self.level - 1e-9)) - 1}."
            )


def near_repeat(incidents: pd.DataFrame, test: KnoxTest | None = None) -> pd.DataFrame:
    """Count pairs of incidents near in space and time, and compare with shuffled days.

    Parameters
    ----------
    incidents : DataFrame, n rows
        `lon`, `lat` in degrees, EPSG:4326; `occurred_on`. Rows without either are not counted.

    Returns
    -------
    DataFrame, one row a band of distance and of time
        `from_km`, `to_km`, `from_days`, `to_days`, `pairs_n`, `pairs_expected`, `pairs_ratio`
        (NA: none expected), `pairs_p` (upper tail), `near_repeat` (bool).

    Raises
    ------
    BadInput
        More pairs within the widest distance than `most_pairs`.

    Notes
    -----
    Knox (1964), J. R. Stat. Soc. C 13, 25-30, with shuffled days after Besag and Diggle (1977),
    Appl. Stat. 26, 327-333. Two incidents on the edge of a band belong to the nearer band.
    """
    test = test or KnoxTest()
    require_columns(incidents, "incidents", ["lon", "lat", "occurred_on"])
    held = incidents.dropna(subset=["lon", "lat", "occurred_on"])
    day = held["occurred_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    first, second, band = _near_pairs(held, test)
    shape = (len(test.km), len(test.days))
    seen = _banded(day, first, second, band, test)
    rng = np.random.default_rng(test.seed)
    total, beyond = np.zeros(shape), np.zeros(shape)
    for _ in range(test.simulations):
        drawn = _banded(rng.permutation(day), first, second, band, test)
        total += drawn
        beyond += drawn >= seen
    p = (1 + beyond) / (1 + test.simulations)
    table = _told(seen, total / test.simulations, p, test)
    km = test.km[-1]
    table.attrs["notes"] = [f"{len(held)} incidents, {first.size} pairs within {km:g} km."]
    return with_standard(table, "near_repeat", near_repeat=test)


def _told(seen: Floats, expected: Floats, p: Floats, test: KnoxTest) -> pd.DataFrame:
    """Give one row per band of distance and of time."""
    ratio = np.divide(seen, expected, out=np.full(seen.shape, np.nan), where=expected > 0)
    flag = (p <= test.level) & ~(ratio < test.least_ratio) & (seen > 0)
    near, soon = np.indices(seen.shape)
    km, days = np.array([0.0, *test.km]), np.array([0.0, *test.days])
    return pd.DataFrame(
        {
            "from_km": km[near.ravel()],
            "to_km": km[near.ravel() + 1],
            "from_days": days[soon.ravel()],
            "to_days": days[soon.ravel() + 1],
            "pairs_n": seen.ravel().astype(np.int64),
            "pairs_expected": expected.ravel(),
            "pairs_ratio": ratio.ravel(),
            "pairs_p": p.ravel(),
            "near_repeat": flag.ravel(),
        }
    )


def _near_pairs(held: pd.DataFrame, test: KnoxTest) -> tuple[Indices, Indices, Indices]:
    """Find all pairs within the widest distance, and the band of each."""
    lon, lat = np.radians(held["lon"].to_numpy(float)), np.radians(held["lat"].to_numpy(float))
    spot = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    none = np.zeros(0, dtype=np.intp)
    if len(held) < 2:
        return none, none, none
    tree = cKDTree(spot)
    edges = 2 * np.sin(np.minimum(np.array(test.km) / EARTH_KM, np.pi) / 2) + 1e-12
    many = int((tree.count_neighbors(tree, edges[-1]) - len(held)) // 2)
    if many > test.most_pairs:
        raise BadInput(
            f"{len(held)} incidents make {many:,} pairs within {test.km[-1]:g} km, more than "
            f"{test.most_pairs:,}. Ask for a shorter period or a smaller distance."
        )
    pairs = tree.query_pairs(edges[-1], output_type="ndarray")
    first, second = pairs[:, 0], pairs[:, 1]
    chord = np.linalg.norm(spot[first] - spot[second], axis=1)
    return first, second, np.searchsorted(edges, chord, side="left").astype(np.intp)


def _banded(
    day: NDArray[np.int64], first: Indices, second: Indices, band: Indices, test: KnoxTest
) -> Floats:
    """Count pairs by band of distance and of time."""
    edges, wide = np.array(test.days), len(test.days) + 1
    counts = np.zeros(len(test.km) * wide, dtype=np.int64)
    for start in range(0, first.size, CHUNK):
        part = slice(start, start + CHUNK)
        apart = np.abs(day[first[part]] - day[second[part]])
        soon = np.searchsorted(edges, apart, side="left")
        counts += np.bincount(band[part] * wide + soon, minlength=counts.size)
    return counts.reshape(-1, wide)[:, :-1].astype(float)
