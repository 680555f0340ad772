"""Patrols declared in aoi.toml: taken whole, refused in one line, shown where they are wanted."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pocgeo.aoi.briefing import asked_for
from pocgeo.aoi.patrols import PatrolsAsked, wanted_patrols
from pocgeo.ground.errors import BadInput


def area(said: dict[str, Any], asked: PatrolsAsked | None = None) -> Any:
    """An area as far as declared patrols need one."""
    file = SimpleNamespace(path=Path("aoi.toml"), standards={"patrols": said} if said else {})
    return SimpleNamespace(file=file, patrols_asked=asked)


def test_what_is_declared_is_what_is_asked() -> None:
    said = {"base": "B03", "patrols": 3, "hours": 6, "depart_h": 7.5, "night": True, "seed": 4,
            "season": "wet", "beyond": True}  # fmt: skip
    found = wanted_patrols(area(said))
    assert found is not None
    assert (found.base_id, found.season, found.beyond) == ("B03", "wet", True)
    order = found.order
    assert (order.patrols, order.hours, order.depart_h, order.night) == (3, 6, 7.5, True)
    assert order.search.seed == 4


def test_what_is_typed_comes_before_what_is_declared() -> None:
    typed = PatrolsAsked(base_id="B01")
    assert wanted_patrols(area({"base": "B03"}, typed)) is typed
    assert wanted_patrols(area({})) is None


def test_a_briefing_has_patrols_only_where_somebody_wants_them() -> None:
    assert asked_for(area({"base": "B03"}), "patrol_plan")
    assert not asked_for(area({}), "patrol_cells")
    assert asked_for(area({}), "coverage")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"patrols": 2}, "names no base"),
        ({"base": "B03", "patrols": 2.5}, "patrols must be a whole number, got 2.5"),
        ({"base": "B03", "hours": 30}, "hours must be more than 0 and at most 24"),
        ({"base": "B03", "repeat": "never"}, "way to treat repetition"),
    ],
)
def test_what_cannot_be_declared_is_one_line(said: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        wanted_patrols(area(said))
    assert str(caught.value).startswith("aoi.toml: [standards.patrols]")
    assert "\n" not in str(caught.value)
