"""Classes can be told apart: in order of lightness, in grey, by people who see few colours."""

import numpy as np
import pytest

from pocgeo.ground.errors import UnknownName
from pocgeo.products.maps.palettes import NOTHING, PALETTES, lightness, ramp

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
