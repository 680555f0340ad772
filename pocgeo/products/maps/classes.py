"""A column in classes: edges, labels, colours, and codes that never change a cell's class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pocgeo.ground.errors import BadInput
from pocgeo.products.columns import ColumnSpec
from pocgeo.products.maps.palettes import CATEGORY_COLOURS, NOTHING, YES, ramp
from pocgeo.products.maps.spec import Category, MeasureSpec
from pocgeo.products.words import ENGLISH, Words

__all__ = ["Classed", "classed", "nice_breaks"]

UNKNOWN_8, UNKNOWN_16 = 255, 65_535
"""The greatest code of its bits means unknown."""

EXACT_UP_TO = 250_000
"""Cells up to which every shown value is kept to its last digit; beyond, 8-bit steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classed:
    """One measure, ready to be packed and drawn; what the page and a static picture share."""

    label: str
    """Heading, unit included."""

    digits: int
    """Decimals shown."""

    edges: tuple[float, ...]
    """Inner edges between the classes, as numbers; empty for categories."""

    labels: tuple[str, ...]
    """One a class, from the lowest."""

    colours: tuple[str, ...]
    """One a class."""

    counts: tuple[int, ...]
    """Cells in each class."""

    missing: int
    """Cells whose value is unknown."""

    codes: NDArray[np.int64]
    """One a cell; ascending with class, then value; the greatest of its bits means unknown."""

    bits: int
    """8 or 16."""

    first_code: tuple[int, ...]
    """First code of each class, and one past the last class."""

    code_values: NDArray[np.float64]
    """Value of every code."""

    loud: tuple[int, ...] = ()
    """Classes drawn larger than they are from afar."""

    exact: bool
    """Whether `code_values` are the cells' own, rounded to the column's digits."""


def classed(
    values: pd.Series,
    measure: MeasureSpec,
    column: ColumnSpec,
    *,
    only_classes: bool = False,
    words: Words = ENGLISH,
) -> Classed:
    """Put a column into the classes its measure declares.

    Classes are made from the values as they are; only what the tooltip shows is rounded, within
    its class, so a cell is never drawn in a class it is not in. With `only_classes` a code is a
    class and stands for the mean of its values: for many periods of many cells.
    """
    if measure.categories or pd.api.types.is_bool_dtype(values):
        return in_categories(values, measure, column, words)
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    known = np.isfinite(numbers)
    digits = column.digits if measure.digits is None else measure.digits
    equal = tuple(i / measure.classes for i in range(1, measure.classes))
    edges = measure.breaks or nice_breaks(numbers[known & (numbers > 0)], measure.shares or equal)
    edges = tuple(edge for edge in edges if measure.zero is None or edge > 0)
    klass = np.digitize(numbers, edges)
    labels = class_labels(edges, digits, words)
    colours = list(ramp(measure.palette, len(edges) + 1))
    if measure.darker == "less":
        colours.reverse()
    if measure.zero is not None:
        labels, colours = [measure.zero, *labels], [NOTHING, *colours]
        labels[1] = least_label(edges, digits, words)
        klass = np.where(numbers <= 0, 0, klass + 1)
        edges = (float(np.nextafter(0, 1)), *edges)
    klass = np.where(known, klass, len(labels))
    code = class_codes if only_classes else partial(coded, digits=digits)
    codes, first, kept, exact = code(numbers, klass, len(labels))
    return Classed(
        label=heading(measure, column),
        digits=digits,
        edges=edges,
        labels=tuple(labels),
        colours=tuple(colours),
        counts=tuple(int(n) for n in np.bincount(klass, minlength=len(labels) + 1)[: len(labels)]),
        missing=int((~known).sum()),
        codes=codes,
        bits=8 if kept.size <= UNKNOWN_8 else 16,
        first_code=first,
        code_values=kept,
        exact=exact,
    )


def in_categories(
    values: pd.Series, measure: MeasureSpec, column: ColumnSpec, words: Words
) -> Classed:
    """Put a column of categories, or of true and false, into its declared classes."""
    kinds = measure.categories or (
        Category(value="false", label=words("no").capitalize(), colour=NOTHING),
        Category(value="true", label=words("yes").capitalize(), colour=YES),
    )
    written = values.astype("object").map(
        lambda value: str(value).lower() if isinstance(value, bool | np.bool_) else str(value),
        na_action="ignore",
    )
    position = {value: i for i, kind in enumerate(kinds) for value in (kind.value, *kind.also)}
    unknown = sorted(set(written.dropna()) - set(position))
    if unknown:
        raise BadInput(
            f"Column {measure.column} has values its map does not declare: {', '.join(unknown[:5])}"
            ". Add them to its [[measures.categories]]."
        )
    codes = written.map(position).to_numpy(dtype="float64", na_value=np.nan)
    klass = np.where(np.isnan(codes), len(kinds), np.nan_to_num(codes)).astype(np.int64)
    counts = np.bincount(klass, minlength=len(kinds) + 1)
    return Classed(
        label=heading(measure, column),
        digits=0,
        edges=(),
        labels=tuple(kind.label for kind in kinds),
        colours=tuple(
            kind.colour or CATEGORY_COLOURS[i % len(CATEGORY_COLOURS)]
            for i, kind in enumerate(kinds)
        ),
        counts=tuple(int(n) for n in counts[: len(kinds)]),
        missing=int(counts[len(kinds)]),
        codes=np.where(klass == len(kinds), UNKNOWN_8, klass),
        bits=8,
        first_code=tuple(range(len(kinds) + 1)),
        code_values=np.arange(len(kinds), dtype="float64"),
        loud=tuple(i for i, kind in enumerate(kinds) if kind.loud),
        exact=True,
    )


def heading(measure: MeasureSpec, column: ColumnSpec) -> str:
    """Label of the legend; the unit in brackets."""
    label = measure.label or column.label
    return f"{label} ({column.unit})" if column.unit else label


def coded(
    numbers: NDArray[np.float64], klass: NDArray[np.int64], classes: int, digits: int
) -> tuple[NDArray[np.int64], tuple[int, ...], NDArray[np.float64], bool]:
    """Give every cell a code; codes ascend with class, then value.

    Every distinct rounded value gets its own code as long as the codes fit; else every class is
    cut into steps of equal width and a code stands for the middle of its step.
    """
    known = klass < classes
    codes = np.full(numbers.size, UNKNOWN_16, dtype=np.int64)
    at, rounded = klass[known], np.round(numbers[known], digits) + 0.0
    room = UNKNOWN_16 if numbers.size <= EXACT_UP_TO else UNKNOWN_8
    exact = few(rounded, room)
    if exact:
        which, found = pd.factorize(rounded)  # by hash: sorting millions costs seconds
        rank = np.argsort(np.argsort(found, kind="stable"), kind="stable")
        pair = at * found.size + rank[which]
        seen = np.flatnonzero(np.bincount(pair, minlength=classes * found.size))
        exact = seen.size <= room
    if exact:
        klasses, values = np.divmod(seen, max(1, found.size))
        values = np.sort(found)[values]
        back = np.searchsorted(seen, np.arange(classes * found.size))[pair]
    else:
        klasses, values, back = stepped(numbers[known], at, classes, UNKNOWN_8 - 1)
    if values.size <= UNKNOWN_8:
        codes[:] = UNKNOWN_8
    codes[known] = back
    first = np.searchsorted(klasses, np.arange(classes + 1))
    return codes, tuple(int(i) for i in first), values, exact


def few(rounded: NDArray[np.float64], room: int) -> bool:
    """Say whether distinct values may fit; a look at some spares the sorting of millions."""
    return np.unique(rounded[:: max(1, rounded.size // 4_096)]).size <= room


def class_codes(
    numbers: NDArray[np.float64], klass: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], tuple[int, ...], NDArray[np.float64], bool]:
    """Let the class be the code, and the mean of its values what it stands for."""
    known = klass < classes
    cells = np.bincount(klass[known], minlength=classes)
    sums = np.bincount(klass[known], weights=numbers[known], minlength=classes)
    means = np.divide(sums, cells, out=np.zeros(classes), where=cells > 0)
    return np.where(known, klass, UNKNOWN_8), tuple(range(classes + 1)), means, False


def stepped(
    numbers: NDArray[np.float64], klass: NDArray[np.int64], classes: int, room: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Cut every class into equal steps, more of them where there are more cells and more width."""
    cells = np.bincount(klass, minlength=classes)
    low, high = np.full(classes, np.inf), np.full(classes, -np.inf)
    for i in np.flatnonzero(cells):
        inside = numbers[klass == i]
        low[i], high[i] = inside.min(), inside.max()
    present = np.flatnonzero(cells)
    wide = (high - low)[present]
    weight = np.sqrt(cells[present] / cells.sum() * wide / max(float(wide.sum()), 1e-300)) + 1e-9
    steps = np.zeros(classes, dtype=np.int64)
    share = weight / weight.sum() * (room - present.size)
    steps[present] = np.where(wide > 0, 1 + np.floor(share), 1)
    offset = np.cumsum(steps) - steps
    size = np.ones(classes)
    size[present] = wide / steps[present]
    size[size == 0] = 1.0
    inner = ((numbers - low[klass]) / size[klass]).astype(np.int64)
    codes = offset[klass] + np.clip(inner, 0, steps[klass] - 1)
    values = [low[i] + (np.arange(steps[i]) + 0.5) * (high[i] - low[i]) / steps[i] for i in present]
    return np.repeat(np.arange(classes), steps), np.concatenate(values), codes


def nice_breaks(positive: NDArray[np.float64], shares: Sequence[float]) -> tuple[float, ...]:
    """Find edges below which these shares of the positive values lie, as numbers people say."""
    if not positive.size:
        return ()
    quantiles = np.quantile(positive, shares)
    found = sorted({rounded_edge(float(edge)) for edge in quantiles})
    least, most = float(positive.min()), float(positive.max())
    return tuple(edge for edge in found if least < edge <= most)


def rounded_edge(edge: float) -> float:
    """Round to 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 or 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(edge))
    steps = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return float(f"{min(steps, key=lambda step: abs(step - edge / power)) * power:.6g}")


def least_label(edges: Sequence[float], digits: int, words: Words) -> str:
    """Write the class next to nothing in words: "more than 0, under 10"."""
    if not edges:
        return words("above_zero")
    return words("above_zero_under", edge=words.figures(shown(edges[0], digits)))


def class_labels(edges: Sequence[float], digits: int, words: Words) -> list[str]:
    """Write the classes in words: "under 10", "10 – 50", "50 and over"."""
    if not edges:
        return [words("all_values")]
    said = [words.figures(shown(edge, digits)) for edge in edges]
    between = [words("from_to", low=a, high=b) for a, b in pairwise(said)]
    return [words("under", edge=said[0]), *between, words("and_over", edge=said[-1])]


def shown(number: float, digits: int) -> str:
    """Write an edge: thousands set apart, no more digits than it needs."""
    for places in range(max(digits, 6) + 1):
        if math.isclose(round(number, places), number, rel_tol=1e-9):
            return f"{number:,.{places}f}"
    return f"{number:,.6g}"
