"""A terrain.toml, once parsed, to checked rules: every key known, every number in range."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf, isfinite
from pathlib import Path
from typing import Any

from pocgeo.cells.speeds import (
    MOBILITIES,
    AirRule,
    Crossing,
    Seasonal,
    SlopeRule,
    Speeds,
    Surface,
    TerrainRules,
    codes_of,
)
from pocgeo.ground.errors import BadInput
from pocgeo.layers.strict import StrictTable

__all__ = ["overlaid", "terrain_rules"]

PROVENANCE = ("source", "house")
KINDS = ("river", "stream", "canal", "lake", "other")
ROAD_CLASSES = ("primary", "secondary", "tertiary", "track", "path", "other")
Sources = dict[str, str]


def terrain_rules(declared: Mapping[str, Any], name: str = "terrain.toml") -> TerrainRules:
    """Read the rules of terrain (standards/terrain.toml, or the AOI's own laid over it).

    Parameters
    ----------
    declared : mapping
        The parsed TOML.
    name : str
        The file, for messages.

    Raises
    ------
    BadInput
        A key is missing, unknown or out of range; a table says neither `source` nor `house`; the
        message names file, table and key.
    """
    top = StrictTable(Path(name), "", declared)
    top.text("title")
    said: Sources = {}
    off_road = speed_tables(top.table("off_road"), MOBILITIES, None, said)
    flooded = top.table("flooded")
    friction = top.table("friction")
    cover, seasons = top.table("cover"), top.table("seasons")
    for table in (friction, cover, seasons):
        noted(table, said)
    rules = TerrainRules(
        name=name,
        wet_months=months(seasons),
        legends=legends(top.tables("legends"), tuple(off_road["foot"].classes), said),
        least_passable_share=share(cover, "least_passable_share"),
        off_road=off_road,
        friction={each: seasonal(friction, each, "factor") for each in MOBILITIES},
        friction_slope_included=friction.flag("slope_included", True),
        roads=speed_tables(top.table("roads"), MOBILITIES, ROAD_CLASSES, said),
        surfaces={key: surface(each, said) for key, each in top.tables("surfaces").items()},
        closures=mobilities(top.table("closures"), said),
        flooded_off_road=flooded_shares(flooded.table("off_road"), said),
        flooded_roads=flooded_shares(flooded.table("roads"), said),
        crossings=by_kind(top.table("crossings"), said),
        stated_crossings=stated(top.tables("stated_crossings"), said),
        waterways=speed_tables(top.table("waterways"), ("boat",), KINDS, said),
        slope=slopes(top.table("slope"), said),
        insecurity=levels(top.table("insecurity"), said),
        air=air(top.table("air"), said),
        provenance=said,
    )
    for table in (flooded, friction, cover, seasons, top):
        table.finish()
    return rules


def overlaid(house: Mapping[str, Any], own: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Lay the tables of an AOI's file over the house's, both parsed.

    A table of the house that the AOI's file touches is ascribed to that file (`name`), unless it
    states its own `source` or `house`.
    """
    merged = dict(house)
    for key, value in own.items():
        under = house.get(key)
        both = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = overlaid(house[key], value, name) if both else value
    if any(key in house for key in PROVENANCE):
        stated = {key: own[key] for key in PROVENANCE if key in own} or {"source": name}
        merged = {key: value for key, value in merged.items() if key not in PROVENANCE} | stated
    return merged


def noted(table: StrictTable, said: Sources) -> None:
    """Keep where a table's numbers come from; a table that does not say is refused."""
    source, house = table.text("source"), table.flag("house")
    if (source is None) == (not house):
        raise table.wrong("", 'say where the numbers come from: source = "..." or house = true.')
    said[table.place] = source or "house"


def number(table: StrictTable, key: str, *, least: float = 0.0, most: float = inf) -> float:
    """Take a finite number that must be there, within bounds."""
    value = table.number(key)
    if value is None:
        raise table.wrong(key, f"is missing. Write for example {key} = {max(least, 1.0):g}.")
    if not (isfinite(value) and least <= value <= most):
        bounds = f"from {least:g} to {most:g}" if isfinite(most) else f"{least:g} or more"
        raise table.wrong(key, f"must be {bounds}, got {value:g}.")
    return value


def share(table: StrictTable, key: str) -> float:
    """Take a share, 0 to 1."""
    return number(table, key, most=1.0)


def seasonal(table: StrictTable, key: str, unit: str) -> Seasonal:
    """Take a pair such as { dry_kmh = 20, wet_kmh = 5 }."""
    if not table.has(key):
        raise table.wrong(key, f"is missing. Write {key} = {{ dry_{unit} = 1, wet_{unit} = 1 }}.")
    pair = table.table(key)
    found = Seasonal(number(pair, f"dry_{unit}"), number(pair, f"wet_{unit}"))
    pair.finish()
    return found


def crossing_pair(table: StrictTable, key: str) -> Seasonal:
    """Take minutes to cross in both seasons; "none" is no crossing."""
    if not table.has(key):
        raise table.wrong(key, f'is missing. Write {key} = {{ dry_min = 10, wet_min = "none" }}.')
    pair = table.table(key)
    found = []
    for each in ("dry_min", "wet_min"):
        if pair.values.get(each) == "none":
            pair.taken.append(each)
            found.append(inf)
        else:
            found.append(number(pair, each))
    pair.finish()
    return Seasonal(*found)


def speed_tables(
    parent: StrictTable,
    means: tuple[str, ...],
    classes: tuple[str, ...] | None,
    said: Sources,
) -> dict[str, Speeds]:
    """Read one table of speeds for each mobility; all list the same classes."""
    found: dict[str, Speeds] = {}
    for mobility in means:
        if not parent.has(mobility):
            raise parent.wrong(mobility, "is missing: every mobility needs its speeds.")
        table = parent.table(mobility)
        noted(table, said)
        listed = table.table("classes")
        names = classes or tuple(listed.values)
        classes = names
        found[mobility] = Speeds(
            default=seasonal(table, "default", "kmh"),
            classes={name: seasonal(listed, name, "kmh") for name in names},
            dismounts=table.flag("dismounts"),
        )
        listed.finish()
        table.finish()
    parent.finish()
    return found


def months(table: StrictTable) -> frozenset[int]:
    """Take the wet months."""
    written = table.take("wet_months", (list,), "a list of months, 1 to 12", [])
    for month in written:
        if isinstance(month, bool) or not isinstance(month, int) or not 1 <= month <= 12:
            raise table.wrong("wet_months", f"must be months from 1 to 12, got {month!r}.")
    return frozenset(written)


def legends(
    tables: Mapping[str, StrictTable], classes: tuple[str, ...], said: Sources
) -> dict[str, Mapping[int, str]]:
    """Read what the codes of rasters mean."""
    found: dict[str, Mapping[int, str]] = {}
    for name, table in tables.items():
        noted(table, said)
        with placed(table, "codes"):
            found[name] = codes_of(table.mapping("codes"), classes)
        table.finish()
    return found


@contextmanager
def placed(table: StrictTable, key: str) -> Iterator[None]:
    """Give an error that knows no file the place where it was made."""
    try:
        yield
    except BadInput as error:
        if str(error).startswith(str(table.path)):
            raise
        raise table.wrong(key, str(error)) from error


def words(table: StrictTable) -> frozenset[str]:
    """Take the words of sources, lower case."""
    found = table.texts("words")
    if not found:
        raise table.wrong("words", 'is missing. Write words = ["what sources call it"].')
    return frozenset(word.casefold() for word in found)


def surface(table: StrictTable, said: Sources) -> Surface:
    """Read one road surface."""
    noted(table, said)
    found = Surface(
        words=words(table),
        ceiling_kmh={each: seasonal(table, each, "kmh") for each in MOBILITIES if table.has(each)},
    )
    table.taken.extend(MOBILITIES)
    table.finish()
    return found


def mobilities(table: StrictTable, said: Sources) -> frozenset[str]:
    """Read whom a closed road stops."""
    noted(table, said)
    found = frozenset(table.texts("mobilities"))
    for each in sorted(found - set(MOBILITIES)):
        raise table.wrong("mobilities", f"{each!r} is not known. Known: {', '.join(MOBILITIES)}.")
    table.finish()
    return found


def flooded_shares(table: StrictTable, said: Sources) -> dict[str, float]:
    """Read the share of the speed that flood leaves to each mobility."""
    noted(table, said)
    found = {each: share(table, each) for each in MOBILITIES}
    table.finish()
    return found


def crossing(table: StrictTable, said: Sources, *, kind: bool = False) -> Crossing:
    """Read what one crossing takes."""
    noted(table, said)
    found = Crossing(
        words=frozenset() if kind else words(table),
        minutes={each: crossing_pair(table, each) for each in MOBILITIES},
    )
    table.finish()
    return found


def stated(tables: Mapping[str, StrictTable], said: Sources) -> dict[str, Crossing]:
    """Read the crossings that a layer may state; no word may mean two of them."""
    found = {key: crossing(table, said) for key, table in tables.items()}
    owner: dict[str, str] = {}
    for key, rule in found.items():
        for word in sorted(rule.words):
            if owner.setdefault(word, key) != key:
                raise tables[key].wrong("words", f"{word!r} already means {owner[word]}.")
    return found


def by_kind(table: StrictTable, said: Sources) -> dict[str, Crossing]:
    """Read the crossings of every kind of water."""
    found: dict[str, Crossing] = {}
    for kind in KINDS:
        if not table.has(kind):
            raise table.wrong(kind, "is missing: every kind of water needs its crossing.")
        found[kind] = crossing(table.table(kind), said, kind=True)
    table.finish()
    return found


def slopes(parent: StrictTable, said: Sources) -> dict[str, SlopeRule]:
    """Read how slope slows each mobility."""
    found: dict[str, SlopeRule] = {}
    for mobility in MOBILITIES:
        if not parent.has(mobility):
            raise parent.wrong(mobility, "is missing: every mobility needs its rule of slope.")
        table = parent.table(mobility)
        noted(table, said)
        rule = table.needed_text("rule", "curve")
        written: dict[str, Any] = {"rule": rule, "on_roads": table.flag("on_roads")}
        if rule == "tobler":
            written |= {key: number(table, key) for key in ("steepness", "ease")}
        elif rule == "curve":
            written |= {key: curve_points(table, key) for key in ("slope", "factor")}
        table.taken.extend(("steepness", "ease", "slope", "factor"))  # left from another rule
        table.finish()
        with placed(table, ""):
            found[mobility] = SlopeRule(**written)
    parent.finish()
    return found


def curve_points(table: StrictTable, key: str) -> tuple[float, ...]:
    """Take a list of numbers."""
    written = table.take(key, (list,), "a list of numbers", [])
    if not written or any(isinstance(v, bool) or not isinstance(v, int | float) for v in written):
        raise table.wrong(key, "must be a list of numbers, not empty.")
    return tuple(float(value) for value in written)


def levels(table: StrictTable, said: Sources) -> dict[str, float]:
    """Read the levels of insecurity: any names, factors from 1."""
    noted(table, said)
    names = [name for name in table.values if name not in PROVENANCE]
    return {name: number(table, name, least=1.0) for name in names}


def air(table: StrictTable, said: Sources) -> AirRule:
    """Read how aircraft move."""
    noted(table, said)
    found = AirRule(
        speed_kmh=number(table, "speed_kmh", least=1.0),
        landing_min=number(table, "landing_min"),
        lands_anywhere=table.flag("lands_anywhere"),
        least_runway_m=number(table, "least_runway_m"),
        onward_kmh=number(table, "onward_kmh", least=0.1),
        onward_km=number(table, "onward_km"),
    )
    table.finish()
    return found
