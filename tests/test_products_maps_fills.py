"""Lakes and what lies around the AOI: filled, beneath or above cells, named where it is seen."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from pocgeo.ground.errors import BadInput
from pocgeo.products.figures import Sheet, save_figure
from pocgeo.products.figures.overlays import APART, SMALLER, Over, crowded, with_room
from pocgeo.products.maps import draw, map_names, map_spec
from pocgeo.products.maps.fills import name_places, packed_fills
from pocgeo.products.maps.overlays import Ground, around, pack_overlay
from pocgeo.products.maps.spec import BACKGROUND, MapSpec, OverlaySpec
from pocgeo.products.maps.styles import STYLES
from pocgeo.products.words import ENGLISH, Words
from tests.map_samples import column, frame, island, released
from tests.test_products_maps_layers import content

COAST = island()
WEST, SOUTH, EAST, NORTH = COAST.bounds
MIDDLE = shapely.Point((WEST + EAST) / 2, (SOUTH + NORTH) / 2)
LAKE = shapely.box(MIDDLE.x - 0.1, MIDDLE.y - 0.1, MIDDLE.x + 0.1, MIDDLE.y + 0.1)
WATERS = OverlaySpec(layer="waterways", name="Rivers and lakes", label="name", kind="kind")
GROUND = Ground(
    boundary=COAST, aoi_name="Ilhara", cut_off_on=frame(COAST).cut_off_on, single=True
)  # fmt: skip


def shapes(rows, name):
    """A released layer of (name, kind, geometry)."""
    names, kinds, geometry = zip(*rows, strict=True)
    table = gpd.GeoDataFrame(
        {"name": names, "kind": kinds, "secret": "NOT-FOR-THE-PAGE"}, geometry=list(geometry),
        crs=4326,
    )  # fmt: skip
    return released(table, column("name", "Name"), column("kind", "Kind"), name=name)


def waters():
    river = shapely.LineString([(WEST, MIDDLE.y), (EAST, MIDDLE.y)])
    return shapes([("Long River", "river", river), ("Lake Ilva", "lake", LAKE)], "waterways")


def neighbours():
    """One land to the west that overlaps the coast a little, one far away, the AOI itself."""
    west = shapely.box(WEST - 2, SOUTH - 1, WEST + 0.02, NORTH + 1)
    far = shapely.box(EAST + 40, SOUTH, EAST + 41, NORTH)
    own = shapely.buffer(COAST, 0.002)
    rows = [("Vesk", "country", west), ("Farland", "country", far), ("Ilhara", "country", own)]
    return shapes(rows, "surroundings")


def test_a_lake_is_an_area_with_its_name_and_the_river_stays_a_line():
    packed = content(pack_overlay(WATERS, waters(), GROUND))
    fills = packed["fills"]
    assert packed["parts"] == [1, 1]  # the shore is a line as the river is
    assert (fills["names"], fills["kinds"], fills["parts"]) == (["Lake Ilva"], ["lake"], [1])
    ((row, x, y),) = fills["named"]
    assert row == 0
    assert (x, y) == pytest.approx((MIDDLE.x, MIDDLE.y), abs=0.005)
    assert "labels" not in packed  # names of rivers are on no map
    rivers = shapes([("r", "river", shapely.LineString([(WEST, SOUTH), (EAST, NORTH)]))], "w")
    assert "fills" not in content(pack_overlay(WATERS, rivers, GROUND))


def test_what_lies_around_is_cut_and_named_outside_the_aoi_only():
    pack = pack_overlay(BACKGROUND, neighbours(), GROUND)
    fills = content(pack)["fills"]
    assert fills["names"] == ["Vesk", "Ilhara"]  # what is far is not in the file
    assert pack.head["features"] == pack.head["of"] == 2
    assert {row for row, _, _ in fills["named"]} == {0}  # slivers of the own outline: no name
    places = [shapely.Point(x, y) for _, x, y in fills["named"]]
    assert len(places) == 2  # one near, one for whoever zooms out
    assert not any(COAST.buffer(0.01).contains(place) for place in places)
    assert places[0].x > places[1].x > WEST - 2
    xy = np.cumsum(np.array(fills["xy"]).reshape(-1, 2), axis=0) / fills["perDegree"]
    west, south, east, north = around(COAST, 1.0)
    assert (xy >= np.array([west, south]) - 1e-4).all()
    assert (xy <= np.array([east, north]) + 1e-4).all()


def test_the_name_of_a_lake_with_an_arm_stands_in_its_wide_part():
    lake = shapely.union(shapely.box(0, 0, 1, 1), shapely.box(1, 0.45, 6, 0.55))
    ((x, y),) = name_places(lake, [(-9, -9, 9, 9)])
    assert (x, y) == pytest.approx((0.5, 0.5), abs=0.1)
    assert not lake.centroid.within(shapely.box(0, 0, 1, 1))  # its centroid is in the arm
    assert name_places(lake, [(8, 8, 9, 9)]) == []


def test_no_area_is_no_fill():
    lines = np.array([shapely.LineString([(0, 0), (1, 1)])])
    assert packed_fills(lines, [""], [""], STYLES["waterways"], None, None) is None


def test_confidential_names_of_lakes_are_refused():
    table = waters()
    secret = OverlaySpec(layer="waterways", label="secret")
    hidden = column("secret", "Secret", sensitivity="confidential")
    table = released(table.table, hidden, name="waterways")
    with pytest.raises(BadInput, match="confidential"):
        pack_overlay(secret, table, GROUND)


def test_every_map_has_what_lies_around_and_misses_it_in_silence():
    for name in map_names():
        assert [item.layer for item in map_spec(name).overlays].count("surroundings") == 1
        assert map_spec(name).overlays[0] == BACKGROUND
    page = draw(map_spec("risk"), None, {}, frame(COAST))
    assert "Surroundings" not in page
    page = draw(map_spec("risk"), None, {"surroundings": neighbours()}, frame(COAST))
    assert '"name":"Surroundings"' in page
    assert "NOT-FOR-THE-PAGE" not in page


def sheet_dots(folder, over, spec):
    path = save_figure(folder / "m.png", spec, None, over, frame(COAST), sheet=Sheet(dpi=100))
    return np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)


def share_of(dots, colour):
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return float((np.abs(dots.astype(int) - wanted).max(axis=1) <= 2).mean())


def test_sheets_fill_lakes_and_put_neighbours_beneath(tmp_path):
    spec = MapSpec(name="m", title="T", question="Q?", overlays=(BACKGROUND, WATERS))
    bare = sheet_dots(tmp_path, {}, spec)
    land = STYLES["surroundings"]["fills"]["fill"]
    around_it = sheet_dots(tmp_path, {"surroundings": neighbours()}, spec)
    assert share_of(bare, land) < 0.001
    assert share_of(around_it, land) > 0.01
    white = [share_of(dots, "#ffffff") for dots in (bare, around_it)]
    assert white[1] > white[0] - 0.02  # the land of the AOI lies over it
    pale = STYLES["waterways"]["fills"]
    mixed = [round(int(pale["fill"][i : i + 2], 16) * pale["opacity"] + 255 * (1 - pale["opacity"]))
             for i in (1, 3, 5)]  # fmt: skip
    lake = "#" + "".join(f"{part:02x}" for part in mixed)
    wet = sheet_dots(tmp_path, {"waterways": waters()}, spec)
    assert share_of(bare, lake) < 0.001
    assert share_of(wet, lake) > 0.005


def test_places_stand_apart_the_important_first_and_cities_always():
    over = Over(axes=None, plane=None, window=(0, 100, 0, 100), scale=1.0, words=ENGLISH,
                shore=shapely.box(0, 0, 100, 100), unit=0.1)  # fmt: skip
    rng = np.random.default_rng(4)
    xy = np.vstack([rng.uniform(0, 100, (3_000, 2)), [[50, 50], [50.1, 50]]])
    kinds = np.array(["village"] * 2_000 + ["town"] * 1_000 + ["city"] * 2, dtype=object)
    kept = with_room(over, shapely.points(xy), STYLES["settlements"], kinds)
    assert kept[-2:].all()
    towns = xy[kept & (kinds == "town")]
    apart = np.hypot(*(towns[:, None] - towns[None]).transpose(2, 0, 1))
    assert apart[~np.eye(len(towns), dtype=bool)].min() >= APART * 0.1
    left_out = xy[~kept]
    near = np.hypot(*(left_out[:, None] - xy[kept][None]).transpose(2, 0, 1)).min(axis=1)
    assert near.max() < APART * 0.1  # nothing is left out where there is room


def test_many_symbols_are_smaller_and_few_are_not():
    over = Over(axes=None, plane=None, window=(0, 600, 0, 400), scale=1.0, words=ENGLISH,
                shore=shapely.box(0, 0, 450, 370), unit=1.0)  # fmt: skip
    assert not crowded(over, "base", 8)
    assert crowded(over, "base", 46)
    assert not crowded(over, "place", 10_000)
    assert 0.5 <= SMALLER < 1


def test_days_in_sentences_are_written_in_the_language():
    said = (
        "Forecast made as of 31 Mar 2026, from the incidents with a place that were on record then."
    )
    assert "31 mars 2026" in Words("fr").text(said)
    assert Words("fr").part("Jul 2026 to Sep 2026") == "juil. 2026 – sept. 2026"
    assert Words("ar").part("Jul 2026 to Sep 2026").startswith("من ")
    assert Words("fr").part("Marsh 2026 place") == "Marsh 2026 place"
