"""Colours of classes: one lightness ramp per palette, darker always means more to attend to."""

import math
from collections.abc import Sequence

from pocgeo.ground.errors import BadInput, UnknownName

__all__ = [
    "CATEGORY_COLOURS",
    "MISSING",
    "NOTHING",
    "PALETTES",
    "YES",
    "contrast",
    "lightness",
    "ramp",
]

MISSING = "#aeb6bd"
"""Stripes of a cell whose value is unknown."""

NOTHING = "#eceae4"
"""A cell whose value is known to be nothing."""

PALETTES = {
    # name: hue of the lightest and the darkest class (degrees), greatest chroma (OKLCH)
    "ember": (88.0, 22.0, 0.165),
    "tide": (205.0, 272.0, 0.125),
    "dusk": (330.0, 296.0, 0.150),
    "moss": (122.0, 162.0, 0.130),
    "slate": (250.0, 250.0, 0.020),
}

LIGHTEST, DARKEST = 0.93, 0.33

CATEGORY_COLOURS = ("#bd5b82", "#606e2b", "#e1c7fe", "#66327e", "#94c792", "#0b3f2e", "#b19c22")
"""Seven kinds that nobody confuses: at least 27 apart (CIE76) for deutan, protan and tritan eyes,
and 7 apart in lightness, for grey print."""

YES = "#9c2a10"
"""A cell of which the claim is true."""


def ramp(name: str, n: int) -> tuple[str, ...]:
    """Give `n` colours of a palette, light to dark, as #rrggbb.

    Lightness falls in even steps, so classes stay apart in grey print and for people who do not
    tell red from green; hue and chroma only help.

    Raises
    ------
    UnknownName
        No palette has the name.
    """
    if name not in PALETTES:
        raise UnknownName("palette", name, PALETTES)
    if not 1 <= n <= 9:
        raise BadInput(f"A palette has 1 to 9 classes, {n} were asked for. Use fewer breaks.")
    first, last, greatest = PALETTES[name]
    steps = [0.55] if n == 1 else [i / (n - 1) for i in range(n)]
    return tuple(
        hexadecimal(
            LIGHTEST + (DARKEST - LIGHTEST) * t,
            greatest * math.sin(math.pi * (0.16 + 0.68 * t)),
            first + (last - first) * t,
        )
        for t in steps
    )


def hexadecimal(light: float, chroma: float, hue_deg: float) -> str:
    """Write an OKLCH colour as sRGB; chroma gives way until the colour exists."""
    while True:
        red, green, blue = linear_rgb(light, chroma, math.radians(hue_deg))
        if chroma < 1e-3 or all(-1e-4 <= part <= 1.0001 for part in (red, green, blue)):
            return "#" + "".join(f"{byte(part):02x}" for part in (red, green, blue))
        chroma *= 0.97


def linear_rgb(light: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLCH to linear sRGB: Ottosson (2020), https://bottosson.github.io/posts/oklab/."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def byte(part: float) -> int:
    """Linear light 0-1 to an sRGB byte (IEC 61966-2-1)."""
    part = min(1.0, max(0.0, part))
    coded = 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
    return round(255 * coded)


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21: WCAG 2.2; text needs 4.5, or 3 where it is large."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lightness(colour: str) -> float:
    """CIE L* (0-100) of #rrggbb, for contrast and for tests."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27


def luminance(colour: str) -> float:
    """Relative luminance (0-1) of #rrggbb."""
    coded: Sequence[float] = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    light = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in coded]
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
