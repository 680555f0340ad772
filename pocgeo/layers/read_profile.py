"""A profile's TOML file read into its shape."""

from pocgeo.layers.spec import CollapseRule, ProfileSpec, ValueRule, WideCounts
from pocgeo.layers.strict import StrictTable

__all__ = ["profile_from", "rule_from"]


def profile_from(top: StrictTable) -> ProfileSpec:
    """Read a profile; the file's stem is its name.

    Raises
    ------
    BadInput
        A key is unknown or of the wrong type.
    """
    name = top.needed_text("name", top.path.stem)
    if name != top.path.stem:
        raise top.wrong("name", f"is {name!r} but the file is {top.path.name}. Give both one name.")
    layers = top.texts("layers")
    if not layers:
        raise top.wrong("layers", 'is missing. Write for example layers = ["incidents"].')
    spec = ProfileSpec(
        name=name,
        title=top.needed_text("title", "UCDP GED"),
        layers=layers,
        terms=top.text("terms") or "",
        cite=top.text("cite") or "",
        caveat=top.text("caveat") or "",
        columns=top.lists("columns"),
        join=top.texts("join"),
        lon=top.texts("lon"),
        lat=top.texts("lat"),
        value_maps=value_maps_of(top),
        rules=rules_of(top),
        only_when={field: table.lists_all() for field, table in top.tables("only_when").items()},
        defaults=top.mapping("defaults"),
        missing=top.texts("missing"),
        where=top.lists("where"),
        where_any=tuple(rule_from(rule, valued=False) for rule in top.listed("where_any")),
        collapse=collapse_from(top),
        wide=wide_from(top),
        sheet=top.text("sheet"),
        crs=top.text("crs"),
        bands={field: int(band) for field, band in top.mapping("bands").items()},
        measure=top.choice("measure", ("count", "density_per_km2", "class", "value")),
        day_first=top.optional_flag("day_first"),
        max_speed_kmh=top.number("max_speed_kmh"),
    )
    top.finish()
    return spec


def value_maps_of(top: StrictTable) -> dict[str, dict[str, str]]:
    """Take the mappings of source texts, lower case, by field."""
    outer = top.table("values")
    return {
        field: {text.lower(): value for text, value in outer.mapping(field).items()}
        for field in outer.values
    }


def rules_of(top: StrictTable) -> dict[str, tuple[ValueRule, ...]]:
    """Take the rules by field, in their order."""
    outer = top.table("rules")
    return {field: tuple(rule_from(rule) for rule in outer.listed(field)) for field in outer.values}


def rule_from(table: StrictTable, *, valued: bool = True) -> ValueRule:
    """Read one rule; a condition without a value where `valued` is False."""
    value = table.needed_text("value", "state_forces") if valued else ""
    rule = ValueRule(
        value=value,
        column=table.text("column"),
        equals=table.texts("equals"),
        prefix=table.texts("prefix"),
        contains=table.texts("contains"),
        when=table.lists("when"),
    )
    table.finish()
    matchers = rule.equals or rule.prefix or rule.contains
    if bool(matchers) != (rule.column is not None):
        raise table.wrong("column", "goes with equals, prefix or contains: write both or neither.")
    if not matchers and not rule.when:
        raise table.wrong("", "a rule without a condition. Use [defaults] for a value of all rows.")
    return rule


def collapse_from(top: StrictTable) -> CollapseRule | None:
    """Read how several observations become one row."""
    table = top.table("collapse")
    if not top.has("collapse"):
        return None
    rule = CollapseRule(
        by=table.texts("by"),
        year=table.needed_text("year", "year"),
        month=table.text("month"),
        within=table.texts("within"),
    )
    table.finish()
    if not rule.by:
        raise table.wrong("by", 'is missing. Write for example by = ["mission", "location"].')
    return rule


def wide_from(top: StrictTable) -> WideCounts | None:
    """Read which dated columns hold counts."""
    table = top.table("wide")
    if not top.has("wide"):
        return None
    wide = WideCounts(
        field=table.needed_text("field", "people_persons"),
        on=table.needed_text("on", "counted_on"),
        ending=table.texts("ending"),
        first_year=table.whole("first_year"),
    )
    table.finish()
    return wide
