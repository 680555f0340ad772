"""Classes can be told apart: in order of lightness, in grey, by people who see few colours."""

import re
from itertools import combinations, pairwise

import numpy as np
import pytest

from pocgeo.ground.errors import UnknownName
from pocgeo.products.maps import map_names, map_spec
from pocgeo.products.maps.assets import ASSETS
from pocgeo.products.maps.palettes import (
    CATEGORY_COLOURS,
    NOTHING,
    PALETTES,
    YES,
    contrast,
    lightness,
    ramp,
)
from pocgeo.products.maps.styles import STYLES

# Machado, Oliveira, Fernandes (2009), severity 1.0, on linear RGB; doi:10.1109/TVCG.2009.113
SEEN = {
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def linear(colour: str) -> np.ndarray:
    coded = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def seen_lightness(colour: str, matrix: list[list[float]]) -> float:
    y = float(np.clip(np.array(matrix) @ linear(colour), 0, 1) @ [0.2126, 0.7152, 0.0722])
    return 116 * y ** (1 / 3) - 16


@pytest.mark.parametrize("name", sorted(PALETTES))
@pytest.mark.parametrize("n", range(2, 8))
def test_lightness_falls_in_steps_for_every_eye(name, n):
    colours = ramp(name, n)
    assert len(set(colours)) == n
    steps = -np.diff([lightness(colour) for colour in colours])
    assert steps.min() > 0.6 * 64 / n
    for matrix in SEEN.values():
        assert -np.diff([seen_lightness(colour, matrix) for colour in colours]).max() > 0
        assert (-np.diff([seen_lightness(colour, matrix) for colour in colours])).min() > 25 / n


def test_nothing_is_lighter_than_most_and_black_and_white_are_known():
    assert lightness("#ffffff") == pytest.approx(100, abs=0.01)
    assert lightness("#000000") == pytest.approx(0, abs=0.01)
    assert lightness("#777777") == pytest.approx(50.03, abs=0.1)
    assert lightness(NOTHING) > 90


def test_a_palette_that_does_not_exist():
    with pytest.raises(UnknownName, match="Did you mean ember"):
        ramp("embers", 3)


def lab(seen: np.ndarray) -> np.ndarray:
    """CIE Lab of linear RGB (IEC 61966-2-1, D65)."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x = np.array(to_xyz) @ np.clip(seen, 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", ["all", *SEEN])
def test_kinds_are_told_apart_by_every_eye(eye):
    matrix = np.array(SEEN.get(eye, np.eye(3)))
    seen = [lab(matrix @ linear(colour)) for colour in CATEGORY_COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 25


@pytest.mark.parametrize("name", map_names())
@pytest.mark.parametrize("eye", ["all", *SEEN])
def test_declared_kinds_are_told_apart_by_every_eye(name, eye):
    matrix = np.array(SEEN.get(eye, np.eye(3)))
    for measure in map_spec(name).measures:
        colours = [kind.colour for kind in measure.categories or () if kind.colour]
        seen = [lab(matrix @ linear(colour)) for colour in colours]
        apart = [np.linalg.norm(a - b) for a, b in combinations(seen, 2)]
        assert min(apart, default=100) > 25, (name, measure.column)


def test_kinds_survive_grey_print():
    grey = sorted(lightness(colour) for colour in CATEGORY_COLOURS)
    assert min(b - a for a, b in pairwise(grey)) > 7


@pytest.mark.parametrize("n", range(2, 8))
def test_hatching_is_seen_on_every_class(n):
    """Dark lines on light classes, light lines on dark ones, as pocgeo-cells.js chooses them."""
    script = (ASSETS / "pocgeo-cells.js").read_text()
    ink, chalk = re.search(r"INK = '(#\w+)', CHALK = '(#\w+)'", script).groups()
    colours = [colour for name in PALETTES for colour in ramp(name, n)]
    for colour in (*colours, NOTHING, YES, *CATEGORY_COLOURS):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        line = chalk if 0.3 * red + 0.59 * green + 0.11 * blue < 128 else ink
        assert contrast(colour, line) > 3


def test_text_has_the_contrast_that_reading_needs():
    """WCAG 2.2 AA: 4.5 for text. Text stands on white, or on the colours named beside it."""
    style = (ASSETS / "pocgeo.css").read_text()
    root = dict(re.findall(r"--(\w+):(#\w{3,6})", style))
    for name in ("ink", "muted", "accent"):
        assert contrast(root[name], "#ffffff") > 4.5, name
    assert contrast(root["muted"], "#f1f4f6") > 4.5
    for marking in re.findall(r"\.poc-(?:marking|level-\d)\{[^}]*background:(#\w{6})", style):
        assert contrast(marking, "#ffffff") > 4.5, marking
    for name, look in STYLES.items():
        if "label" in look:
            assert contrast(look["label"]["colour"], "#ffffff") > 4.5, name
    assert contrast(STYLES["incidents"]["fill"], "#ffffff") > 4.5  # numbers in clusters
    symbols = (ASSETS / "pocgeo-symbols.js").read_text()
    assert "fill: closed ? '#e3e6e9' : '#bfe0ff'" in symbols
    for ink, face in (("#0b2a45", "#bfe0ff"), ("#4c5763", "#e3e6e9")):
        assert contrast(ink, face) > 4.5
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
