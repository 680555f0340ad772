"""Map declarations: one TOML a map, one question each; what is asked, never how it is computed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.products.maps.palettes import PALETTES

__all__ = [
    "BACKGROUND",
    "Category",
    "Compare",
    "MapSpec",
    "MeasureSpec",
    "OverlaySpec",
]

GROUPED_BY = ("mean", "sum", "max", "mode")
COMPARED = ("swipe", "beside")
AGE_DAYS = (7.0, 14.0, 30.0, 90.0)
TILES = re.compile(
    r"https://[A-Za-z0-9.-]+(:\d+)?/"
    r"(?=[^ ]*\{z\})(?=[^ ]*\{x\})(?=[^ ]*\{y\})[A-Za-z0-9._~/{}?=&%-]+"
)
"""An https address of map tiles, one host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One value of a measure that is a category, and how it is shown."""

    value: str
    """As in the table; a boolean is "true" or "false"."""

    label: str
    """For people."""

    colour: str | None = None
    """#rrggbb; None takes the next of the house's category colours."""

    also: tuple[str, ...] = ()
    """Further values that are shown as this kind; name the column in `facts` to say which."""

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

    name: str = ""
    """What the map calls it; empty takes the column. Two measures of one column need two names."""

    table: str | None = None
    """Another finding that holds the column; None: the map's own table."""

    period: str | None = None
    """Column of the period, where the table has a row for each place and period."""

    periods: tuple[str, ...] = ()
    """Columns of the periods in order of time, where the table has a column for each."""

    period_labels: tuple[str, ...] = ()
    """What the slider calls `periods`; empty takes the columns' own labels."""

    @property
    def called(self) -> str:
        """Name within the map."""
        return self.name or self.column


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Two measures of one map against one another: before and after, scenario and scenario."""

    left: str
    """Name of a measure."""

    right: str
    """Name of a measure."""

    how: str = "swipe"
    """"swipe": one map with a handle; "beside": two maps that move together."""

    left_label: str = "Before"
    """Written on the left."""

    right_label: str = "After"
    """Written on the right."""


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

    size: str | None = None
    """Column of which the larger come first where there is no room for all."""

    cluster: bool = False
    """Whether points near one another on the screen are drawn as one circle with their count."""

    age: str | None = None
    """Column of days or times; lines are coloured by their age at the page's cut-off."""

    age_days: tuple[float, ...] = AGE_DAYS
    """Inner edges of the classes of age, days, ascending."""

    optional: bool = False
    """Whether the map says nothing where the AOI has no such layer."""


BACKGROUND = OverlaySpec(
    layer="surroundings", name="Surroundings", label="name", kind="kind", optional=True
)
"""Lies beneath every map of an AOI that has the layer; a map may name it otherwise."""


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
    """The finding drawn as cells, or as areas; None: neither."""

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

    compare: Compare | None = None
    """Two measures against one another; None: one at a time."""

    hatch: str | None = None
    """Column of true and false; places where it is true are hatched in every measure."""

    hatch_label: str = "Uncertain"
    """What hatching means."""

    areas: str | None = None
    """Layer whose polygons carry the colour; None: cells, or the table's own polygons."""

    by: str = "area_id"
    """Key of an area in the table."""

    areas_by: str = ""
    """Key of an area in the layer; empty: as in the table."""

    where: Mapping[str, str] = field(default_factory=dict)
    """Column and text: only these rows of the table are drawn."""

    period_start: str = "last"
    """Where the time slider stands when the map opens: "first" or "last"."""

    tiles: str | None = None
    """Address of online tiles with {z}, {x}, {y}; it asks the network: never on a marked page."""

    tiles_credit: str = ""
    """Whom the tiles come from; printed on the map."""

    def __post_init__(self) -> None:
        if bool(self.table) != bool(self.measures):
            raise BadInput(f"maps/{self.name}.toml: table and [[measures]] belong together.")
        for measure in self.measures:
            check_measure(self.name, measure)
        check_map(self)
        for overlay in self.overlays:
            check_overlay(self.name, overlay)

    @property
    def further(self) -> tuple[str, ...]:
        """Names of the tables that are neither `table` nor an overlay, each once."""
        named = [measure.table for measure in self.measures] + [self.areas]
        return tuple(dict.fromkeys(name for name in named if name and name != self.table))


def check_map(spec: MapSpec) -> None:
    """Refuse a map whose parts do not fit one another."""
    where = f"maps/{spec.name}.toml"
    names = [measure.called for measure in spec.measures]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"{where}: two measures are called {twice[0]}. Give one of them a name.")
    if spec.compare is not None:
        if spec.compare.how not in COMPARED:
            raise UnknownName(f"way to compare (in {where})", spec.compare.how, COMPARED)
        for name in (spec.compare.left, spec.compare.right):
            if name not in names:
                raise UnknownName(f"measure (in {where}, compare)", name, names)
    if spec.period_start not in {"first", "last"}:
        raise BadInput(f"{where}: period_start is first or last, got {spec.period_start!r}.")
    if spec.tiles is not None and not TILES.fullmatch(spec.tiles):
        raise BadInput(
            f"{where}: tiles is {spec.tiles!r}. Write https://, a host, and a path with "
            "{z}, {x} and {y}."
        )


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
    if measure.period and measure.periods:
        raise BadInput(f"{where}: period is for long tables, periods for wide ones; give one.")
    if measure.period_labels and len(measure.period_labels) != len(measure.periods):
        raise BadInput(f"{where}: {len(measure.periods)} periods need as many period_labels.")


def check_overlay(name: str, overlay: OverlaySpec) -> None:
    """Refuse an overlay that cannot be drawn."""
    where = f"maps/{name}.toml, overlay {overlay.layer!r}"
    if list(overlay.age_days) != sorted({days for days in overlay.age_days if days > 0}):
        raise BadInput(f"{where}: age_days must ascend, got {list(overlay.age_days)}.")
    if not 1 <= len(overlay.age_days) <= 6:
        raise BadInput(f"{where}: age_days makes 2 to 7 classes; give 1 to 6 edges.")
