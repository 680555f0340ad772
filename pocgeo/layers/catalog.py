"""The layers and profiles that are declared: found by name, read strictly, once."""

from functools import cache
from pathlib import Path

from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.layers.read_profile import profile_from
from pocgeo.layers.spec import (
    FIELD_TYPES,
    GEOMETRIES,
    INDEX_METHODS,
    SENSITIVITIES,
    FieldSpec,
    IndexRule,
    LayerSpec,
    MapStyle,
    ProfileSpec,
    VulnerabilityUse,
)
from pocgeo.layers.strict import StrictTable

__all__ = ["layer_names", "layer_spec", "profile", "profile_names", "read_layer"]

NUMERIC = ("number", "count")

RESERVED = frozenset({"cell", "geometry", "source", "source_row"})
"""Columns that loading and indexing add to every layer."""


def layer_names(folder: Path | None = None) -> tuple[str, ...]:
    """List the layers there are: pocgeo's, then the user's own in `<folder>/layers`.

    Parameters
    ----------
    folder : Path, optional
        The AOI folder.
    """
    house = sorted(path.stem for path in declared("layers").glob("*.toml"))
    own = sorted(path.stem for path in folder.glob("layers/*.toml")) if folder else []
    return tuple(house + [name for name in own if name not in house])


def layer_spec(name: str, folder: Path | None = None) -> LayerSpec:
    """Find a layer's declaration; the user's own cannot replace one of pocgeo's.

    Parameters
    ----------
    name : str
        Such as "incidents", or the name of `<folder>/layers/<name>.toml`.
    folder : Path, optional
        The AOI folder.

    Raises
    ------
    UnknownName
        No declaration has the name.
    BadInput
        The declaration is wrong; the message names file, table and key.
    """
    house = declared("layers") / f"{name}.toml"
    own = (folder or Path()) / "layers" / f"{name}.toml"
    if name in layer_names() and house.is_file():
        if folder is not None and own.is_file() and own.resolve() != house.resolve():
            raise BadInput(f"{own}: {name!r} is a layer of pocgeo. Give yours another name.")
        return read_layer(house, own=False)
    if name not in layer_names(folder):
        raise UnknownName("layer", name, layer_names(folder))
    return read_layer(own, own=True)


def profile_names() -> tuple[str, ...]:
    """List the known sources."""
    return tuple(sorted(path.stem for path in (declared("layers") / "profiles").glob("*.toml")))


@cache
def profile(name: str) -> ProfileSpec:
    """Find what a known source looks like, such as "ucdp_ged".

    Raises
    ------
    UnknownName
        No profile has the name.
    """
    if name not in profile_names():
        raise UnknownName("profile", name, profile_names())
    path = declared("layers") / "profiles" / f"{name}.toml"
    return profile_from(StrictTable(path, "", read_toml(path)))


def read_layer(path: Path, *, own: bool) -> LayerSpec:
    """Read one layer's TOML file.

    Raises
    ------
    BadInput
        A key is unknown, of the wrong type, or contradicts another.
    """
    top = StrictTable(path, "", read_toml(path))
    name = top.needed_text("name", path.stem)
    if name != path.stem:
        raise top.wrong("name", f"is {name!r} but the file is {path.name}. Give both one name.")
    if not (name.isidentifier() and name == name.lower()):
        raise top.wrong("name", f"{name!r} must be lower-case letters, digits and underscores.")
    geometry = top.choice("geometry", GEOMETRIES)
    if geometry is None:
        raise top.wrong("geometry", 'is missing. Write for example geometry = "point".')
    sensitivity = top.choice("sensitivity", SENSITIVITIES)
    if sensitivity is None:
        raise top.wrong("sensitivity", "is missing. Write open, restricted or confidential.")
    fields = {
        key: field_from(key, table, sensitivity) for key, table in top.tables("fields").items()
    }
    index = index_from(top.table("index"), name, geometry, fields)
    spec = LayerSpec(
        name=name,
        title=top.text("title") or name.replace("_", " ").capitalize(),
        geometry=geometry,
        sensitivity=sensitivity,
        caveat=top.text("caveat") or "",
        fields=fields,
        outside=top.choice("outside", ("keep", "reject", "expected"), "keep") or "keep",
        index=index,
        vulnerability=vulnerability_from(top, index),
        map=style_from(top.table("map"), fields),
        own=own,
    )
    top.finish()
    return spec


def field_from(name: str, table: StrictTable, sensitivity: str) -> FieldSpec:
    """Read one field; its sensitivity is the layer's where none is written."""
    kind = table.choice("type", FIELD_TYPES)
    if kind is None:
        raise table.wrong("type", f"is missing. Known: {', '.join(FIELD_TYPES)}.")
    if not (name.isidentifier() and name == name.lower()):
        raise table.wrong("", "a field's name must be lower-case letters, digits and underscores.")
    if name in RESERVED:
        raise table.wrong("", "is a name that pocgeo gives itself. Choose another.")
    categories = table.texts("categories")
    if (kind == "category") != bool(categories):
        raise table.wrong("categories", 'belongs to type = "category", and only there.')
    field = FieldSpec(
        name=name,
        type=kind,
        label=table.text("label") or name.replace("_", " ").capitalize(),
        sensitivity=table.choice("sensitivity", SENSITIVITIES, sensitivity) or sensitivity,
        unit=table.text("unit"),
        key=table.flag("key"),
        required=table.flag("required"),
        aliases=table.texts("from"),
        missing=table.choice("missing", ("unknown",), "unknown") or "unknown",
        categories=categories,
        values={text.lower(): value for text, value in table.mapping("values").items()},
        flags=table.mapping("flags"),
        range=table.pair("range"),
        past=table.flag("past"),
    )
    check_field(table, field)
    table.finish()
    return field


def check_field(table: StrictTable, field: FieldSpec) -> None:
    """Refuse what contradicts the field's type."""
    if field.range and field.type not in NUMERIC:
        raise table.wrong("range", f"belongs to a number or a count, not to a {field.type}.")
    if field.unit and field.type not in NUMERIC:
        raise table.wrong("unit", f"belongs to a number or a count, not to a {field.type}.")
    if field.past and field.type not in ("date", "instant"):
        raise table.wrong("past", f"belongs to a date or an instant, not to a {field.type}.")
    for place, names in (("values", field.values.values()), ("flags", field.flags)):
        for value in names:
            if field.categories and value not in field.categories:
                raise table.wrong(place, f"{value!r} is none of the categories.")
    if field.flags and not field.categories:
        raise table.wrong("flags", 'belongs to type = "category".')


def index_from(
    table: StrictTable, layer: str, geometry: str, fields: dict[str, FieldSpec]
) -> tuple[IndexRule, ...]:
    """Read how a layer becomes columns of the cells."""
    rules = []
    for method in INDEX_METHODS:
        if method in ("sum", "area_weighted"):
            for name in table.texts(method):
                if name not in fields or fields[name].type not in NUMERIC:
                    raise table.wrong(method, f"{name!r} is no number or count of this layer.")
                rules.append(
                    IndexRule(method=method, field=name, column=f"{layer}_{method}_{name}")
                )
        elif table.flag(method):
            unit = "_m" if method == "nearest_distance" else ""
            rules.append(IndexRule(method=method, field=None, column=f"{layer}_{method}{unit}"))
    table.finish()
    methods = {rule.method for rule in rules}
    if "area_weighted" in methods and geometry not in ("polygon", "any"):
        raise table.wrong("area_weighted", f"needs polygons; the layer's geometry is {geometry}.")
    if rules and geometry in ("raster", "track"):
        raise table.wrong("", f"a {geometry} layer is not indexed by rules. Take the section out.")
    return tuple(rules)


def vulnerability_from(top: StrictTable, index: tuple[IndexRule, ...]) -> VulnerabilityUse | None:
    """Read how the layer counts as an indicator, if it does."""
    table = top.table("vulnerability")
    if not top.has("vulnerability"):
        return None
    columns = [rule.column for rule in index]
    if not columns:
        raise table.wrong("", "needs an [index] section, which makes the column it uses.")
    use = VulnerabilityUse(
        column=table.choice("column", columns, columns[0]) or columns[0],
        higher_is_worse=table.flag("higher_is_worse", default=True),
        scale=table.choice("scale", ("rank", "linear", "log"), "rank") or "rank",
    )
    table.finish()
    return use


def style_from(table: StrictTable, fields: dict[str, FieldSpec]) -> MapStyle:
    """Read how a map shows the layer."""
    colour = table.text("colour", MapStyle().colour) or ""
    digits = colour[1:]
    if not (
        colour.startswith("#")
        and len(digits) == 6
        and set(digits.lower()) <= set("0123456789abcdef")
    ):
        raise table.wrong("colour", f'{colour!r} is no colour. Write for example "#1f6f8b".')
    label = table.choice("label", fields)
    style = MapStyle(colour=colour, label=label, shown=table.flag("shown"))
    table.finish()
    return style
