"""Every layer and profile parses and means something; wrong ones are refused in one line."""

from pathlib import Path

import pytest

from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.layers.catalog import layer_names, layer_spec, profile, profile_names, read_layer

CONTRACT = {
    "incidents": ("incident_id", "occurred_on", "reported_on", "incident_type", "perpetrator",
                  "against_civilians", "killed_civilians_persons", "harmed_civilians_persons",
                  "killed_persons", "killed_women_persons", "killed_children_persons",
                  "location_error_m", "location_precision", "place", "actor", "source_name",
                  "summary", "ended_on"),
    "bases": ("base_id", "name", "kind", "unit", "opened_on", "closed_on", "qrf_notice_min",
              "mobility", "max_range_km", "night_moves", "strength_persons", "caveat",
              "location_error_m"),
    "patrols": ("unit_id", "patrol_id", "base_id", "fix_at"),
    "telemetry": ("unit_id", "patrol_id", "base_id", "fix_at"),
    "planned_patrols": ("route_id", "name", "unit_id", "base_id", "times_per_week", "night"),
    "population": ("people_persons", "women_persons", "children_persons"),
    "sites": ("site_id", "name", "kind", "people_persons", "women_persons", "children_persons",
              "counted_on"),
    "settlements": ("settlement_id", "name", "kind", "people_persons"),
    "areas": ("area_id", "name", "admin_level", "parent_id"),
    "aors": ("aor_id", "name", "unit"),
    "roads": ("road_id", "name", "class", "surface", "bridge", "closed_from_on",
              "closed_until_on", "closed"),
    "waterways": ("waterway_id", "name", "kind", "crossing"),
    "surroundings": ("surrounding_id", "name", "kind"),
    "floods": ("flood_id", "name", "season"),
    "landcover": ("class",),
    "elevation": ("elevation_m",),
    "friction": ("friction_min_per_m",),
    "landing_sites": ("landing_site_id", "name", "runway_m", "helicopter", "surface"),
    "candidate_sites": ("candidate_id", "name", "kind", "mobility", "qrf_notice_min"),
    "alerts": ("alert_id", "name", "radius_m", "people_persons"),
}  # fmt: skip

OWN = """
name = "clinics"
geometry = "point"
sensitivity = "open"
[fields]
clinic_id = {{ type = "text", key = true }}
beds = {{ type = "count", unit = "beds" }}
{more}
"""


def own_layer(folder: Path, more: str = "", name: str = "clinics") -> Path:
    (folder / "layers").mkdir(exist_ok=True)
    path = folder / "layers" / f"{name}.toml"
    path.write_text(OWN.format(more=more), encoding="utf-8")
    return path


def test_the_layers_are_those_of_the_contract_with_their_fields() -> None:
    assert set(layer_names()) == set(CONTRACT)
    for name, fields in CONTRACT.items():
        assert set(fields) <= set(layer_spec(name).fields), name


def test_sources_and_accounts_of_incidents_are_confidential() -> None:
    spec = layer_spec("incidents")
    assert spec.sensitivity == "restricted"
    assert spec.field("source_name").sensitivity == "confidential"
    assert spec.field("summary").sensitivity == "confidential"
    assert spec.field("occurred_on").sensitivity == "restricted"


def test_numbers_wear_their_unit() -> None:
    for name in layer_names():
        for field in layer_spec(name).fields.values():
            if field.unit:
                assert field.name.endswith(f"_{field.unit}"), f"{name}.{field.name}"


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_speaks_of_fields_and_categories_that_exist(name: str) -> None:
    known = profile(name)
    assert known.terms and known.caveat
    for layer in known.layers:
        spec = layer_spec(layer)
        said = {*known.columns, *known.value_maps, *known.rules, *known.only_when, *known.defaults}
        assert said | set(known.bands) | set(known.join) <= set(spec.fields)
        for field, mapping in known.value_maps.items():
            if spec.fields[field].categories:
                assert set(mapping.values()) <= set(spec.fields[field].categories), field
        for field, rules in known.rules.items():
            if spec.fields[field].categories:
                assert {rule.value for rule in rules} <= set(spec.fields[field].categories), field
        if known.wide:
            assert {known.wide.field, known.wide.on} <= set(spec.fields)


def test_every_profile_that_the_house_promises_is_there() -> None:
    assert set(profile_names()) >= {
        "acled", "ucdp_ged", "geopko", "smart", "earthranger", "gpx", "worldpop", "gpw",
        "osm_military", "osm_places", "osm_roads", "osm_waterways", "osm_sites",
        "ocha_displaced_counts", "mapaction_settlements", "telemetry_csv",
    }  # fmt: skip


def test_a_layer_of_the_users_own_is_found_and_indexed(tmp_path: Path) -> None:
    own_layer(
        tmp_path,
        '[index]\ncount = true\nsum = ["beds"]\nnearest_distance = true\n'
        '[vulnerability]\ncolumn = "clinics_nearest_distance_m"\n'
        '[map]\ncolour = "#1f6f8b"\nlabel = "clinic_id"\nshown = true\n',
    )
    spec = layer_spec("clinics", tmp_path)
    assert spec.own
    assert [rule.column for rule in spec.index] == [
        "clinics_count", "clinics_sum_beds", "clinics_nearest_distance_m",
    ]  # fmt: skip
    assert spec.vulnerability is not None
    assert spec.vulnerability.column == "clinics_nearest_distance_m"
    assert spec.map.label == "clinic_id"
    assert "clinics" in layer_names(tmp_path)


def test_the_users_own_cannot_replace_a_layer_of_the_house(tmp_path: Path) -> None:
    own_layer(tmp_path, name="bases")
    with pytest.raises(BadInput, match=r"'bases' is a layer of pocgeo. Give yours another name"):
        layer_spec("bases", tmp_path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[inddex]\ncount = true", "there is no key 'inddex'. Did you mean index?"),
        ('name2 = { type = "txt" }', "[fields.name2] type: 'txt' is not known. Did you mean text?"),
        ('n = { type = "text", requird = true }', "[fields.n] has no key 'requird'. Did you mean"),
        ('n = { type = "text", range = [0, 1] }', "[fields.n] range: belongs to a number"),
        ('n = { type = "number", range = [1, 0] }', "two numbers, the lower first"),
        ('n = { type = "category" }', "[fields.n] categories: belongs to type"),
        (
            'n = { type = "category", categories = ["a"], values = { x = "b" } }',
            "values: 'b' is none of the categories",
        ),
        ('geometry = { type = "text" }', "[fields.geometry]: is a name that pocgeo gives itself"),
        ('n = { type = "text", missing = "zero" }', "missing: 'zero' is not known"),
        ('n = { type = "text", sensitivity = "secret" }', "sensitivity: 'secret' is not known"),
        ('[index]\nsum = ["clinic_id"]', "[index] sum: 'clinic_id' is no number"),
        ('[index]\narea_weighted = ["beds"]', "needs polygons"),
        ("[vulnerability]\nscale = 'rank'", "[vulnerability]: needs an [index] section"),
        ('[map]\ncolour = "red"', "[map] colour: 'red' is no colour"),
        ('[map]\nlabel = "nam"', "[map] label: 'nam' is not known"),
        ("beds2 = 3", "must be a table"),
    ],
)
def test_a_wrong_layer_is_refused_with_file_and_key(tmp_path: Path, more: str, said: str) -> None:
    path = own_layer(tmp_path, more)
    with pytest.raises(BadInput) as refused:
        read_layer(path, own=True)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_unknown_names_are_hinted_at() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean incidents"):
        layer_spec("incidnts")
    with pytest.raises(UnknownName, match=r"Did you mean acled"):
        profile("aclde")


def test_a_layer_whose_name_is_not_its_files_is_refused(tmp_path: Path) -> None:
    path = own_layer(tmp_path, name="other")
    with pytest.raises(BadInput, match=r"other\.toml"):
        read_layer(path, own=True)
