"""Every map declaration can be read, and a mistake in one names the file and the key."""

import pytest

from pocgeo.ground.declarations import declared
from pocgeo.ground.errors import BadInput, UnknownName
from pocgeo.products.maps import map_names, map_spec
from pocgeo.products.maps.styles import STYLES

GOOD = """
title = "T"
question = "Q?"
table = "gaps"
[[measures]]
column = "a"
breaks = [1, 2.5]
"""


def test_the_house_maps_are_there():
    wanted = {"common_picture", "coverage_gaps", "hotspots", "presence", "proximity", "risk"}
    assert wanted <= set(map_names())


@pytest.mark.parametrize("name", map_names())
def test_every_map_can_be_read_and_drawn(name):
    spec = map_spec(name)
    assert spec.name == name
    assert spec.question.endswith("?")
    assert all((item.style or item.layer) in STYLES for item in spec.overlays)
    assert (declared("maps") / f"{name}.toml").read_text().startswith("#")


def test_a_users_own_map_comes_first(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "mine.toml").write_text(GOOD)
    (tmp_path / "maps" / "risk.toml").write_text(GOOD.replace('"T"', '"My risk"'))
    assert "mine" in map_names(tmp_path)
    assert map_spec("mine", tmp_path).measures[0].breaks == (1, 2.5)
    assert map_spec("risk", tmp_path).title == "My risk"
    assert map_spec("risk").title != "My risk"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("breaks", "brakes"), "MeasureSpec has no key brakes"),
        (("[1, 2.5]", '"1, 2"'), "breaks is '1, 2'"),
        (("[1, 2.5]", "[2, 1]"), "must ascend"),
        (('title = "T"', ""), "title"),
        (('title = "T"', "title = 3"), "title is 3; it must be str"),
        (("[[measures]]", "[measures]"), "must be written as \\[\\[measures\\]\\]"),
        (('table = "gaps"', ""), "belong together"),
        (("breaks = [1, 2.5]", 'palette = "rainbow"'), "No palette"),
        (("breaks = [1, 2.5]", "classes = 12"), "2 to 7 classes"),
        (("breaks = [1, 2.5]", "shares = [0.5, 1.5]"), "shares must ascend"),
        (("breaks = [1, 2.5]", 'group = "median"'), "group is one of"),
        (("breaks = [1, 2.5]", "optional = 1"), "optional is 1; it must be bool"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path, change, said):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "mine.toml").write_text(GOOD.replace(*change))
    with pytest.raises(BadInput, match=said) as caught:
        map_spec("mine", tmp_path)
    assert "\n" not in str(caught.value)


def test_an_unknown_map_names_the_nearest(tmp_path):
    with pytest.raises(UnknownName, match="Did you mean hotspots"):
        map_spec("hotspot")
    with pytest.raises(UnknownName):
        map_spec("../maps/risk", tmp_path)
