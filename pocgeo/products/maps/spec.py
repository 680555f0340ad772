"""Map declarations: one TOML a map, one question each; what is asked, never how it is computed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.products.maps.palettes import PALETTES

__all__ = ["Category", "MapSpec", "MeasureSpec", "OverlaySpec", "map_names", "map_spec"]

GROUPED_BY = ("mean", "sum", "max", "mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One value of a measure that is a category, and how it is shown."""

    value: str
    """As in the table; a boolean is "true" or "false"."""

    label: str
    """For people."""

    colour: str | None = None
    """#rrggbb; None takes the next of the house's category colours."""

    loud: bool = False
    """Whether such a cell is drawn larger than it is from afar: rare, and not to be missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSpec:
    """One column of the finding, drawn as coloured cells."""

    column: str
    """Column of the released table."""

    palette: str = "ember"
    """A name of palettes.PALETTES; darker is more."""

    breaks: tuple[float, ...] = ()
    """Inner edges of the classes, ascending; a value on an edge is in the class above it."""

    classes: int = 5
    """How many classes are made from the data where `breaks` is empty."""

    shares: tuple[float, ...] = ()
    """Where `breaks` is empty: parts of the cells above 0, 0-1, at which a class ends; for measures
    of which few cells have much ("the top 1 %"). Empty: equal parts."""

    digits: int | None = None
    """Decimals shown; None takes the column's own."""

    zero: str | None = None
    """Label of a class of its own for 0 ("No one"); None: 0 is a number like others."""

    missing: str = "No data"
    """Label of cells whose value is unknown."""

    group: str = "mean"
    """What a group of cells shows from afar: mean, sum (as mean per cell), max, mode."""

    darker: str = "more"
    """"more" or "less": which end of the numbers is the dark one."""

    categories: tuple[Category, ...] = ()
    """Where given, the column holds categories, in the order of the legend."""

    label: str | None = None
    """Heading of the legend; None takes the column's own."""

    help: str | None = None
    """Sentence under the heading; None takes the column's own."""

    optional: bool = False
    """Whether the map may be drawn, and say so, when the table lacks the column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlaySpec:
    """One layer of points, lines or areas over the cells."""

    layer: str
    """Key under which the released table is handed over."""

    style: str = ""
    """A name of styles.STYLES; empty takes the layer's name."""

    name: str | None = None
    """In the panel; None takes the released table's title."""

    label: str | None = None
    """Column written beside the feature."""

    kind: str | None = None
    """Column that chooses symbol, colour or rank."""

    facts: tuple[str, ...] = ()
    """Columns of the tooltip. No other column goes into the file."""

    show: bool = True
    """Whether it is drawn when the map opens."""

    top: int | None = None
    """How many of the first rows are drawn; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSpec:
    """One map: a question, the finding that answers it, and what is drawn over it."""

    name: str
    """Name of the file without .toml."""

    title: str
    """Heading for people."""

    question: str
    """The one question it answers."""

    table: str | None = None
    """The finding drawn as cells; None: no cells."""

    measures: tuple[MeasureSpec, ...] = ()
    """The first is shown when the map opens."""

    facts: tuple[str, ...] = ()
    """Further columns of a cell's tooltip."""

    reason: str | None = None
    """Column of a sentence that explains the cell."""

    overlays: tuple[OverlaySpec, ...] = ()
    """From the lowest to the highest."""

    notes: tuple[str, ...] = ()
    """Sentences printed under the map."""

    def __post_init__(self) -> None:
        if bool(self.table) != bool(self.measures):
            raise BadInput(f"maps/{self.name}.toml: table and [[measures]] belong together.")
        for measure in self.measures:
            check_measure(self.name, measure)


def check_measure(name: str, measure: MeasureSpec) -> None:
    """Refuse a measure that cannot be drawn."""
    where = f"maps/{name}.toml, measure {measure.column!r}"
    if measure.palette not in PALETTES:
        raise UnknownName(f"palette (in {where})", measure.palette, PALETTES)
    if list(measure.breaks) != sorted(set(measure.breaks)):
        raise BadInput(f"{where}: breaks must ascend and differ, got {list(measure.breaks)}.")
    if measure.group not in GROUPED_BY or measure.darker not in {"more", "less"}:
        raise BadInput(f"{where}: group is one of {', '.join(GROUPED_BY)}; darker more or less.")
    if list(measure.shares) != sorted({s for s in measure.shares if 0 < s < 1}):
        raise BadInput(f"{where}: shares must ascend between 0 and 1, got {list(measure.shares)}.")
    if not 2 <= measure.classes <= 7 or max(len(measure.breaks), len(measure.shares)) > 6:
        raise BadInput(f"{where}: 2 to 7 classes can be told apart; ask for that many.")


def map_names(folder: Path | None = None) -> list[str]:
    """List the maps that can be drawn: the house's, and those of an AOI folder's `maps/`."""
    return sorted({path.stem for root in roots(folder) for path in root.glob("*.toml")})


def map_spec(name: str, folder: Path | None = None) -> MapSpec:
    """Read one map; the AOI folder's own comes before the house's of the same name.

    Raises
    ------
    UnknownName
        No declaration has the name.
    BadInput
        The declaration has a key or a value that a map does not know.
    """
    for root in roots(folder):
        if name in {path.stem for path in root.glob("*.toml")}:
            return parsed(root / f"{name}.toml")
    raise UnknownName("map", name, map_names(folder))


def roots(folder: Path | None) -> Iterable[Path]:
    """Folders that may hold maps, the nearest to the user first."""
    own = () if folder is None else (Path(folder) / "maps",)
    return (*own, declared("maps"))


def parsed(path: Path) -> MapSpec:
    """Read one TOML into a MapSpec."""
    content = read_toml(path)
    measures = listed(path, content.get("measures", []), "measures")
    for row in measures:
        kinds = listed(path, row.get("categories", []), "categories")
        row["categories"] = tuple(built(path, Category, kind) for kind in kinds)
    overlays = listed(path, content.get("overlays", []), "overlays")
    content["measures"] = tuple(built(path, MeasureSpec, row) for row in measures)
    content["overlays"] = tuple(built(path, OverlaySpec, row) for row in overlays)
    return built(path, MapSpec, {"name": path.stem, **content})


def listed(path: Path, rows: Any, key: str) -> list[dict[str, Any]]:
    """Take an array of tables; anything else is a mistake in the file."""
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise BadInput(f"{path}: {key} must be written as [[{key}]] tables.")
    return [dict(row) for row in rows]


Part = TypeVar("Part", Category, MeasureSpec, OverlaySpec, MapSpec)


def built(path: Path, part: type[Part], row: Mapping[str, Any]) -> Part:
    """Make one dataclass from a table; unknown keys and wrong types name the file and the key."""
    known = {field.name: field for field in fields(part)}
    unknown = sorted(set(row) - set(known))
    if unknown:
        raise BadInput(
            f"{path}: {part.__name__} has no key {', '.join(unknown)}; known: {', '.join(known)}."
        )
    values: dict[str, Any] = {}
    for key, value in row.items():
        kind = known[key].type
        if not fits(value, kind):
            said = kind.__name__ if isinstance(kind, type) else kind
            raise BadInput(f"{path}: {key} is {value!r}; it must be {said}.")
        values[key] = tuple(value) if isinstance(value, list) else value
    try:
        return part(**values)
    except TypeError as error:
        raise BadInput(f"{path}: {part.__name__}: {str(error).split('() ')[-1]}.") from error


def fits(value: Any, kind: Any) -> bool:
    """Say whether a value of a TOML file is of a field's type."""
    parts = get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(fits(item, parts[0]) for item in value)
    if parts:
        return any(fits(value, part) for part in parts)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)
