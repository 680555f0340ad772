"""Rules of terrain: the house's file means something, wrong ones are refused in one line."""

import copy
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

from pocgeo.cells.speeds import MOBILITIES, SEASONS, SlopeRule, TerrainRules, season_on
from pocgeo.cells.terrain_file import overlaid, terrain_rules
from pocgeo.ground.declarations import declared, read_toml
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.layers.catalog import layer_spec

ROOT = Path(__file__).resolve().parents[1]
DECLARED = read_toml(declared("standards") / "terrain.toml")
HOUSE = terrain_rules(DECLARED)


def changed(path: str, value: object) -> dict:
    """Copy the house's file with one value changed (or, with None, taken out)."""
    tree = copy.deepcopy(DECLARED)
    *parents, last = path.split("/")
    table = tree
    for name in parents:
        table = table[name]
    if value is None:
        del table[last]
    else:
        table[last] = value
    return tree


def test_every_table_of_numbers_says_its_source_or_that_it_is_the_houses() -> None:
    assert {"off_road.foot", "roads.wheeled", "slope.foot", "air"} <= set(HOUSE.provenance)
    assert all(HOUSE.provenance.values())
    assert "Weiss et al. 2020" in HOUSE.provenance["off_road.foot"]
    assert HOUSE.provenance["off_road.wheeled"] == "house"


def test_walking_speeds_are_those_of_the_sources() -> None:
    # Weiss et al. 2020, doi:10.1038/s41591-020-1059-1, supplement: km/h by IGBP class
    dry = {name: pair.dry for name, pair in HOUSE.off_road["foot"].classes.items()}
    published = {"grass": 4.86, "forest": 3.24, "open_forest": 4.86, "shrub": 3.0,
                 "open_shrub": 4.2, "crops": 2.5, "wetland": 2.0, "bare": 3.0,
                 "snow": 1.62}  # fmt: skip
    assert {name: dry[name] for name in published} == published
    # Blanford et al. 2012, doi:10.1186/1476-072X-11-24, table 2: 3 -> 2 km/h, towns 4 -> 3 km/h
    for name, pair in HOUSE.off_road["foot"].classes.items():
        if pair.dry:
            assert pair.wet / pair.dry == pytest.approx(
                3 / 4 if name == "built_up" else 2 / 3, 5e-3
            )
    assert HOUSE.off_road["foot"].classes["water"] == (0, 0)


@pytest.mark.parametrize("mobility", MOBILITIES)
def test_every_road_class_and_kind_of_water_has_its_numbers(mobility: str) -> None:
    roads = layer_spec("roads").field("class").categories
    assert set(HOUSE.roads[mobility].classes) == set(roads)
    kinds = set(layer_spec("waterways").field("kind").categories)
    assert set(HOUSE.crossings) == kinds == set(HOUSE.waterways["boat"].classes)
    for rule in (*HOUSE.crossings.values(), *HOUSE.stated_crossings.values()):
        assert set(rule.minutes) == set(MOBILITIES)


def test_every_code_of_the_sample_has_a_class() -> None:
    with rasterio.open(declared("sample_aoi") / "data" / "landcover.tif") as raster:
        codes = set(np.unique(raster.read(1)).tolist()) - {int(raster.nodata)}
    assert codes <= set(HOUSE.legend("worldcover"))


def test_every_legend_names_classes_that_have_speeds() -> None:
    for codes in HOUSE.legends.values():
        for mobility in MOBILITIES:
            assert set(codes.values()) <= set(HOUSE.off_road[mobility].classes)


def test_no_declared_wet_speed_is_above_its_dry_one() -> None:
    for tables in (HOUSE.off_road, HOUSE.roads, HOUSE.waterways):
        assert all(speeds.never_faster_wet() for speeds in tables.values())
    for surface in HOUSE.surfaces.values():
        assert all(pair.wet <= pair.dry for pair in surface.ceiling_kmh.values())
    for rule in (*HOUSE.crossings.values(), *HOUSE.stated_crossings.values()):
        assert all(pair.wet >= pair.dry for pair in rule.minutes.values())
    assert all(pair.wet <= pair.dry for pair in HOUSE.friction.values())


def test_a_class_that_is_not_listed_moves_at_the_default() -> None:
    foot = HOUSE.off_road["foot"]
    assert foot.kmh(["grass", None, "swamp"], "dry").tolist() == [4.86, 3.0, 3.0]
    assert foot.kmh(["grass"], "wet").tolist() == [3.24]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("roadz", {}, "terrain.toml: there is no key 'roadz'. Did you mean roads?"),
        ("off_road/foot/classes/grass/dry_kmh", -1, "[off_road.foot.classes.grass] dry_kmh"),
        ("off_road/foot/classes/grass/dry_kmh", "fast", "must be a number"),
        ("off_road/foot/classes/grass/dry_kmh", inf, "must be a finite number"),
        ("off_road/wheeled/classes/forest", None, "[off_road.wheeled.classes] forest: is missing"),
        ("off_road/boat", None, "[off_road] boat: is missing"),
        ("roads/foot/classes/tracks", {"dry_kmh": 1, "wet_kmh": 1}, "Did you mean track?"),
        ("roads/foot/source", None, 'say where the numbers come from: source = "..."'),
        ("roads/foot/house", True, "say where the numbers come from"),
        ("cover/least_passable_share", 2, "must be from 0 to 1, got 2"),
        ("seasons/wet_months", [5, 13], "must be months from 1 to 12, got 13"),
        ("legends/worldcover/codes", {"10": "forrest"}, "Did you mean forest?"),
        ("crossings/river/foot/wet_min", "never", "wet_min: must be a number"),
        ("crossings/lake", None, "[crossings] lake: is missing"),
        ("stated_crossings/none/words", ["ford"], "'ford' already means ford"),
        ("closures/mobilities", ["wheels"], "'wheels' is not known"),
        ("slope/foot/rule", "toblar", "Did you mean tobler?"),
        ("slope/wheeled/factor", [1, 0], "one factor for each"),
        ("insecurity/high", 0.5, "[insecurity] high: must be 1 or more"),
        ("air/speed_kmh", 0, "[air] speed_kmh: must be 1 or more"),
    ],
)
def test_a_wrong_file_is_refused_with_file_table_and_key(
    path: str, value: object, said: str
) -> None:
    with pytest.raises(BadInput) as error:
        terrain_rules(changed(path, value))
    assert str(error.value).startswith("terrain.toml: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_own_file_changes_only_what_it_names_and_is_its_source() -> None:
    own = {"roads": {"wheeled": {"classes": {"track": {"wet_kmh": 0}}}}}
    rules = terrain_rules(overlaid(DECLARED, own, "plan.toml"), "plan.toml")
    assert rules.roads["wheeled"].classes["track"] == (10.0, 0.0)
    assert rules.roads["wheeled"].classes["primary"] == (40.0, 30.0)
    assert rules.provenance["roads.wheeled"] == "plan.toml"
    assert rules.provenance["roads.foot"] == HOUSE.provenance["roads.foot"]
    assert rules.off_road == HOUSE.off_road
    with pytest.raises(BadInput, match=r"plan\.toml: .*Did you mean track\?"):
        terrain_rules(
            overlaid(DECLARED, {"roads": {"foot": {"classes": {"trak": {}}}}}, "plan.toml"),
            "plan.toml",
        )


def test_an_own_source_is_kept_and_a_rule_of_slope_can_be_turned_off() -> None:
    own = {"slope": {"wheeled": {"rule": "none", "source": "trial runs, May"}}}
    rules = terrain_rules(overlaid(DECLARED, own, "plan.toml"), "plan.toml")
    assert rules.slope["wheeled"] == SlopeRule(rule="none")
    assert rules.provenance["slope.wheeled"] == "trial runs, May"
    assert overlaid(DECLARED, {}, "plan.toml") == DECLARED


def test_own_codes_go_before_the_legend() -> None:
    legend = HOUSE.legend("worldcover", {"10": "shrub", "7": "wetland"})
    assert (legend[10], legend[7], legend[30]) == ("shrub", "wetland", "grass")
    with pytest.raises(UnknownName, match="Did you mean worldcover"):
        HOUSE.legend("worldcovr")
    with pytest.raises(UnknownName, match="Did you mean wetland"):
        HOUSE.legend("worldcover", {"7": "wetlands"})
    with pytest.raises(BadInput, match="no whole number"):
        HOUSE.legend("worldcover", {"7.5": "wetland"})


def test_the_season_of_a_day_is_that_of_its_month() -> None:
    days = pd.to_datetime(["2026-04-30", "2026-05-01", None, "2026-10-31", "2026-11-01"])
    assert season_on(days, HOUSE).tolist() == ["dry", "wet", None, "wet", "dry"]


def test_seasons_and_mobilities_have_names() -> None:
    assert SEASONS == ("dry", "wet")
    with pytest.raises(UnknownName, match="season"):
        HOUSE.off_road["foot"].kmh(["grass"], "rainy")
    assert isinstance(HOUSE, TerrainRules)


def documented(head: str) -> dict[str, list[str]]:
    """Read the table of docs/methods/terrain.md whose first column is headed so."""
    text = (ROOT / "docs" / "methods" / "terrain.md").read_text("utf8")
    lines = text[text.index(f"| {head} | foot |") :].split("\n\n")[0].splitlines()
    rows = [[part.strip() for part in line.strip("|").split("|")] for line in lines]
    assert rows[0][1:] == list(MOBILITIES)
    return {name: values for name, *values in rows[2:]}


def pair(values: tuple[float, float]) -> str:
    return " / ".join("none" if value == inf else f"{value:g}" for value in values)


def test_the_methods_page_says_what_the_rules_say() -> None:
    for head, tables in (("land cover", HOUSE.off_road), ("road", HOUSE.roads)):
        said = documented(head)
        assert said.pop("not known") == [pair(tables[each].default) for each in MOBILITIES]
        names = tables["foot"].classes
        assert said == {
            name: [pair(tables[each].classes[name]) for each in MOBILITIES] for name in names
        }
    named = HOUSE.crossings | {
        f"stated: {name}": rule for name, rule in HOUSE.stated_crossings.items()
    }
    assert documented("water") == {
        name: [pair(rule.minutes[each]) for each in MOBILITIES] for name, rule in named.items()
    }
