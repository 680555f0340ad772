"""What stands around a map on paper: grid, scale, north, legend, labels, marking, notes."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from pocgeo.products.figures.overlays import Label, Over
from pocgeo.products.figures.plane import Plane
from pocgeo.products.figures.words import Words
from pocgeo.products.maps.styles import STYLES

__all__ = ["LegendEntry", "grid", "labels", "legend", "marking", "north_and_scale", "paragraph"]

MARKING_COLOURS = {
    "UNCLASSIFIED": "#1e6b3a", "CONFIDENTIAL": "#8a5a00", "STRICTLY CONFIDENTIAL": "#9c1c1c",
}  # fmt: skip

AIR = 4.0
"""Points between two labels."""

Box = tuple[float, float, float, float]

STEPS_DEG = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """One line of the legend."""

    label: str
    colour: str = ""
    """Of a class."""

    style: str = ""
    """Of an overlay: a name of styles.STYLES."""

    hatch: str = ""
    """Stripes over the colour."""

    share: str = ""
    """What part of the cells is in the class."""


def grid(axes: Axes, plane: Plane, window: tuple[float, float, float, float], size: float) -> None:
    """Draw meridians and parallels with their degrees along the edge."""
    left, right, bottom, top = window
    lon, _ = plane.degrees(np.array([left, right]), np.zeros(2))
    _, lat = plane.degrees(np.zeros(2), np.array([bottom, top]))
    step = next((s for s in STEPS_DEG if (lon[1] - lon[0]) / s <= 7), STEPS_DEG[-1])
    decimals = 2 if step < 0.1 or step == 0.25 else 1 if step < 1 else 0
    for value in np.arange(math.ceil(lon[0] / step), lon[1] / step) * step:
        x = float(plane.km(np.array([value]), np.zeros(1))[0][0])
        axes.plot([x, x], [bottom, top], color="#7d8790", lw=0.3, alpha=0.55, zorder=1.5)
        turned = (value + 180) % 360 - 180
        axes.text(x, bottom, f"{abs(turned):.{decimals}f}°{'E' if turned >= 0 else 'W'}",
                  fontsize=size, ha="center", va="bottom", color="#4c5763", zorder=9)  # fmt: skip
    for value in np.arange(math.ceil(lat[0] / step), lat[1] / step) * step:
        y = float(plane.km(np.zeros(1), np.array([value]))[1][0])
        axes.plot([left, right], [y, y], color="#7d8790", lw=0.3, alpha=0.55, zorder=1.5)
        axes.text(left, y, f" {abs(value):.{decimals}f}°{'N' if value >= 0 else 'S'}",
                  fontsize=size, ha="left", va="bottom", color="#4c5763", zorder=9)  # fmt: skip


def north_and_scale(
    axes: Axes, window: tuple[float, float, float, float], words: Words, size: float
) -> None:
    """Draw a scale bar of a round length and an arrow to the north."""
    left, right, bottom, top = window
    wide, high = right - left, top - bottom
    whole = nice_length(wide * 0.22)
    x, y, thick = left + 0.05 * wide, bottom + 0.055 * high, 0.008 * high
    back: Any = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "zorder": 9.1}
    a, b, low, up = scale_box(window)
    axes.add_patch(Rectangle((a, low), b - a, up - low, **back))
    for part, colour in enumerate(("#20303f", "white")):
        axes.add_patch(Rectangle((x + part * whole / 2, y), whole / 2, thick, facecolor=colour,
                                 edgecolor="#20303f", lw=0.6, zorder=9.2))  # fmt: skip
    for share, said in ((0.0, "0"), (0.5, f"{whole / 2:g}"), (1.0, f"{whole:g} {words('km')}")):
        axes.text(x + share * whole, y + 1.8 * thick, words.shaped(said), fontsize=size,
                  ha="center", va="bottom", color="#20303f", zorder=9.2)  # fmt: skip
    foot, head = (
        (right - 0.045 * wide, top - 0.13 * high),
        (right - 0.045 * wide, top - 0.05 * high),
    )
    axes.annotate("", head, xytext=foot, zorder=9.2,
                  arrowprops={"arrowstyle": "-|>", "color": "#20303f", "lw": 1.4})  # fmt: skip
    axes.text(*head, words.shaped(words("north")), fontsize=size * 1.3, weight="bold", ha="center",
              va="bottom", color="#20303f", zorder=9.2)  # fmt: skip


def scale_box(window: Box) -> Box:
    """Give the room that the scale bar takes: left, right, bottom, top."""
    left, right, bottom, top = window
    wide, high = right - left, top - bottom
    start = left + 0.035 * wide
    return (start, start + nice_length(wide * 0.22) + 0.09 * wide,
            bottom + 0.035 * high, bottom + 0.11 * high)  # fmt: skip


def north_box(window: Box) -> Box:
    """Give the room that the arrow to the north takes: left, right, bottom, top."""
    _, right, bottom, top = window
    wide, high = right - window[0], top - bottom
    return right - 0.065 * wide, right - 0.025 * wide, top - 0.135 * high, top - 0.015 * high


def nice_length(wanted_km: float) -> float:
    """Round down to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(wanted_km))
    return max(step * power for step in (1, 2, 5) if step * power <= wanted_km)


def labels(over: Over) -> None:
    """Write the labels that find room, the important first, none over another or close to it."""
    unit = over.unit
    taken = [
        (x - half * unit, x + half * unit, y - 0.6 * half * unit, y + 0.6 * half * unit)
        for x, y, half in ((x, y, half * over.scale) for x, y, half in over.marks)
    ]
    left, right, bottom, top = over.window
    taken += [scale_box(over.window), north_box(over.window)]
    ordered = sorted(over.labels, key=lambda label: (label.priority, -label.y, label.x))
    for label in ordered:
        text = over.words.shaped(label.text)
        wide = 0.62 * label.size * len(text) * unit
        high = 1.25 * label.size * unit
        gap = label.gap * over.scale * unit
        box = spot(label, wide, high, gap, taken, (left, right, bottom, top))
        if box is None:
            continue
        air = AIR * over.scale * unit
        taken.append((box[0] - air, box[1] + air, box[2] - air / 2, box[3] + air / 2))
        how: Any = {
            "fontsize": label.size, "weight": "bold" if label.bold else "normal", "ha": "left",
            "va": "center",
        }  # fmt: skip
        at = (box[0], (box[2] + box[3]) / 2)
        halo = effects.Stroke(linewidth=1.8 * over.scale, foreground="white")
        over.axes.text(*at, text, color="white", zorder=8, path_effects=[halo], **how)
        over.axes.text(*at, text, color=label.colour, zorder=8.1, **how)  # text stays text


def spot(
    label: Label, wide: float, high: float, gap: float, taken: Sequence[tuple[float, ...]],
    window: tuple[float, float, float, float],
) -> tuple[float, float, float, float] | None:  # fmt: skip
    """Find room for a label beside its point, or on it; None where there is none."""
    x, y = label.x, label.y
    corners: list[tuple[float, float]] = [
        (x + gap, y - high / 2), (x - gap - wide, y - high / 2), (x - wide / 2, y + gap),
        (x - wide / 2, y - gap - high),
    ]  # fmt: skip
    if label.centred:
        corners.insert(0, (x - wide / 2, y - high / 2))
    for a, b in corners:
        inside = window[0] < a and a + wide < window[1] and window[2] < b and b + high < window[3]
        free = all(a > o[1] or a + wide < o[0] or b > o[3] or b + high < o[2] for o in taken)
        if inside and free:
            return a, a + wide, b, b + high
    return None


def marking(figure: Any, said: str, words: Words, size: float) -> None:
    """Write the marking at the head and the foot of the sheet, and nowhere less than that."""
    colour = MARKING_COLOURS[said]
    for y in (0.972, 0.0):
        figure.add_artist(Rectangle((0, y), 1, 0.028, transform=figure.transFigure, color=colour))
        figure.text(0.5, y + 0.013, words.shaped(words.text(said)), ha="center", va="center",
                    color="white", weight="bold", fontsize=size)  # fmt: skip


def paragraph(
    figure: Any, place: tuple[float, float, float, float], text: str, words: Words, size: float,
    **font: Any,
) -> float:  # fmt: skip
    """Write wrapped text from the top of a place; gives where it ends.

    `place` is left, right, bottom, top as parts of the sheet; what does not fit is cut at a word
    and ends with three dots.
    """
    left, right, bottom, top = place
    inches = figure.get_size_inches()
    letters = max(8, int((right - left) * inches[0] * 72 / (size * 0.53)))
    line = size * 1.32 / 72 / inches[1]
    rows = max(1, int((top - bottom) / line))
    found = textwrap.wrap(text, letters) or [""]
    if len(found) > rows:
        last = found[rows - 1]
        last = last if len(last) <= letters - 2 else last.rpartition(" ")[0] or last[: letters - 2]
        found = [*found[: rows - 1], f"{last} …"]
    where, anchor = (right, "right") if words.right_to_left else (left, "left")
    for number, row in enumerate(found):
        figure.text(where, top - number * line, words.shaped(row), ha=anchor, va="top",
                    fontsize=size, **font)  # fmt: skip
    return float(top - len(found) * line)


def legend(
    figure: Any, place: tuple[float, float, float, float], heading: str,
    entries: Sequence[LegendEntry], words: Words, size: float,
) -> float:  # fmt: skip
    """Draw a legend from the top of a place; gives where it ends."""
    left, right, bottom, top = place
    inches = figure.get_size_inches()
    line = size * 1.75 / 72 / inches[1]
    y = paragraph(figure, (left, right, bottom, top), heading, words, size * 1.08, weight="bold")
    wide = 2.2 * size / 72 / inches[0]
    letters = max(8, int((right - left - wide - 0.006) * inches[0] * 72 / (size * 0.56)))
    for entry in entries:
        said = entry.label + (f"  ({entry.share})" if entry.share else "")
        rows = textwrap.wrap(said, letters) or [""]
        y -= line + (len(rows) - 1) * 0.75 * line
        if y < bottom:
            break
        x = right - wide if words.right_to_left else left
        high = y + (len(rows) - 1) * 0.75 * line
        swatch(figure, (x, high, wide, line * 0.72), entry)
        text_x, anchor = (x - 0.006, "right") if words.right_to_left else (x + wide + 0.006, "left")
        for number, row in enumerate(rows):
            figure.text(text_x, high + line * (0.36 - 0.75 * number), words.shaped(row),
                        fontsize=size, ha=anchor, va="center")  # fmt: skip
    return float(y - line * 0.6)


def swatch(figure: Any, box: tuple[float, float, float, float], entry: LegendEntry) -> None:
    """Draw the sample of one entry."""
    x, y, wide, high = box
    if not entry.style:
        figure.add_artist(Rectangle((x, y), wide, high, transform=figure.transFigure,
                                    facecolor=entry.colour or "white", edgecolor="#5b6570",
                                    lw=0.5, hatch=entry.hatch or None))  # fmt: skip
        return
    style = STYLES[entry.style]
    middle = y + high / 2
    if style["draw"] == "line":
        dash = (0, tuple(style["dash"])) if style.get("dash") else "solid"
        figure.add_artist(line_of([x, x + wide], [middle, middle], figure, color=style["colour"],
                                  lw=max(1.0, style.get("weight", 1) * 0.7), ls=dash))  # fmt: skip
    elif style["draw"] == "area":
        figure.add_artist(Rectangle((x, y), wide, high, transform=figure.transFigure,
                                    facecolor=style.get("fill", "none"), lw=0.9,
                                    edgecolor=style["colour"], alpha=0.6))  # fmt: skip
    else:
        symbol = style.get("symbol", style["draw"])
        marker = {"site": "^", "base": "s"}.get(symbol, "o")
        fill = {"site": "#ffd58a", "base": "#bfe0ff", "place": "white", "alert": "none"}
        figure.add_artist(
            line_of([x + wide / 2], [middle], figure, marker=marker, ls="",
                    ms=8 if symbol == "rank" else 6,
                    mfc=fill.get(symbol, style.get("fill", "white")), mec="#20303f", mew=0.8)
        )  # fmt: skip
        if symbol == "rank":
            figure.text(x + wide / 2, middle, "1", fontsize=4.4, weight="bold", ha="center",
                        va="center_baseline")  # fmt: skip


def line_of(x: list[float], y: list[float], figure: Any, **how: Any) -> Any:
    """Make a line in parts of the sheet."""
    return Line2D(x, y, transform=figure.transFigure, **how)
