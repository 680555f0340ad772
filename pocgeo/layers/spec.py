"""What a layer is, and what a source of it looks like: the shapes that layers/*.toml declare."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as stored

from pocgeo.ground.errors import UnknownName

__all__ = [
    "FIELD_TYPES",
    "GEOMETRIES",
    "INDEX_METHODS",
    "SENSITIVITIES",
    "CollapseRule",
    "FieldSpec",
    "IndexRule",
    "LayerSpec",
    "MapStyle",
    "ProfileSpec",
    "ValueRule",
    "VulnerabilityUse",
    "WideCounts",
]

GEOMETRIES = ("point", "line", "polygon", "any", "track", "raster")
SENSITIVITIES = ("open", "restricted", "confidential")
FIELD_TYPES = ("text", "category", "date", "instant", "number", "count", "flag")
INDEX_METHODS = ("count", "sum", "area_weighted", "nearest_distance", "presence")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field of a layer."""

    name: str
    """Column name in the loaded table."""

    type: str
    """One of FIELD_TYPES."""

    label: str
    """What people read."""

    sensitivity: str
    """open, restricted or confidential; the layer's own where the field declares none."""

    unit: str | None = None
    """Unit of a number, as in the name: m, persons, min ..."""

    key: bool = False
    """Whether the field names the thing: a second row with the same value is refused."""

    required: bool = False
    """Whether a row without a usable value is rejected, and a table without the column refused."""

    aliases: tuple[str, ...] = ()
    """Source columns that are taken for the field, case and spaces aside, the first found."""

    missing: str = "unknown"
    """What an empty value means; only "unknown" (NA) exists: never 0."""

    categories: tuple[str, ...] = ()
    """Values of a category field."""

    values: Mapping[str, str] = stored(default_factory=dict)
    """Source text, lower case, to category or value."""

    flags: Mapping[str, str] = stored(default_factory=dict)
    """Category to a line of the load report that counts the rows which have it."""

    range: tuple[float, float] | None = None
    """Least and greatest believable value, both allowed."""

    past: bool = False
    """Whether a day or instant cannot lie after the end of the period (or today)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRule:
    """How a layer of the user's own becomes a column of the cells."""

    method: str
    """One of INDEX_METHODS."""

    field: str | None
    """The number that is summed or spread by area; None for the other methods."""

    column: str
    """Column of the cell table: `<layer>_<method>`, with the field or the unit where it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VulnerabilityUse:
    """How an indexed column counts as an indicator of vulnerability."""

    column: str
    """Column of the cell table, one of the layer's index rules."""

    higher_is_worse: bool = True
    """Whether a greater value means more vulnerable."""

    scale: str = "rank"
    """How the column becomes 0-1: "rank", "linear" or "log"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStyle:
    """How a map shows the layer where a map product does not say."""

    colour: str = "#555555"
    """Hexadecimal colour."""

    label: str | None = None
    """Field that is written beside the feature."""

    shown: bool = False
    """Whether it is switched on at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpec:
    """What a layer is."""

    name: str
    title: str
    geometry: str
    """One of GEOMETRIES."""

    sensitivity: str
    caveat: str
    """What every product that uses the layer must say."""

    fields: Mapping[str, FieldSpec]
    outside: str = "keep"
    """What happens to what lies outside the area of interest: "reject", "keep" and flag, or
    "expected": kept, and nothing said."""

    index: tuple[IndexRule, ...] = ()
    vulnerability: VulnerabilityUse | None = None
    map: MapStyle = MapStyle()
    own: bool = False
    """Whether the declaration is the user's, from the AOI folder."""

    def field(self, name: str) -> FieldSpec:
        """Find a field by its name."""
        if name not in self.fields:
            raise UnknownName(f"field of {self.name}", name, self.fields)
        return self.fields[name]

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the key fields."""
        return tuple(name for name, field in self.fields.items() if field.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRule:
    """A value for a field in the rows whose source column reads a certain way; first match wins."""

    value: str
    column: str | None = None
    equals: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = stored(default_factory=dict)
    """Further source columns and the texts they may hold, all of which must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollapseRule:
    """Rows that are observations of one thing at several times become one row."""

    by: tuple[str, ...]
    """Source columns that name the thing."""

    year: str
    """Source column of the observation's year."""

    month: str | None
    """Source column of its month, 1-12; None for yearly sources."""

    within: tuple[str, ...] = ()
    """Source columns inside which first and last observation are judged (a mission)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WideCounts:
    """Counts that lie in one column per date: the latest known is taken, with its day."""

    field: str
    on: str
    ending: tuple[str, ...] = ()
    """What may follow the date in a column name, for example "IDPs"; a bare date always counts."""

    first_year: int | None = None
    """Year of the first dated column whose name has no year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSpec:
    """What a known source looks like."""

    name: str
    title: str
    layers: tuple[str, ...]
    """Layers the source may feed."""

    terms: str = ""
    cite: str = ""
    caveat: str = ""
    columns: Mapping[str, tuple[str, ...]] = stored(default_factory=dict)
    """Field to the source columns that may hold it, the first found is taken."""

    join: tuple[str, ...] = ()
    """Fields whose columns are joined with a space instead of choosing one."""

    lon: tuple[str, ...] = ()
    lat: tuple[str, ...] = ()
    value_maps: Mapping[str, Mapping[str, str]] = stored(default_factory=dict)
    """Field to source text to value."""

    rules: Mapping[str, tuple[ValueRule, ...]] = stored(default_factory=dict)
    only_when: Mapping[str, Mapping[str, tuple[str, ...]]] = stored(default_factory=dict)
    """Field to source columns and texts: in other rows the field is unknown."""

    defaults: Mapping[str, str] = stored(default_factory=dict)
    """Field to the value of rows that have none."""

    missing: tuple[str, ...] = ()
    """Texts that mean not known in this source."""

    where: Mapping[str, tuple[str, ...]] = stored(default_factory=dict)
    """Rows asked for: source column to the texts it may hold; the others are counted."""

    where_any: tuple[ValueRule, ...] = ()
    """Rows asked for where at least one of these rules holds; none declared: all rows."""

    collapse: CollapseRule | None = None
    wide: WideCounts | None = None
    sheet: str | None = None
    crs: str | None = None
    bands: Mapping[str, int] = stored(default_factory=dict)
    measure: str | None = None
    day_first: bool | None = None
    max_speed_kmh: float | None = None
