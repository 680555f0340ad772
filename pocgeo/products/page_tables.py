"""Released tables as HTML for a page: captions, units, tooltips, nothing that can run."""

import pandas as pd

from pocgeo.products.columns import ColumnSpec
from pocgeo.products.maps.safe_text import SafeHtml, joined, tag
from pocgeo.products.maps.translation import column_in
from pocgeo.products.phrasing import NOTHING, clean, digits_of, figure, is_number, phrased
from pocgeo.products.released import Released
from pocgeo.products.words import ENGLISH, Words

__all__ = ["as_html", "chosen_texts", "row_sentences"]

MOST_COLUMNS = 10
LONG_TEXT = 40
"""A column of text whose longest value is longer goes under its row."""


def as_html(released: Released, top: int | None = None, words: Words = ENGLISH) -> SafeHtml:
    """Write a table as HTML.

    Parameters
    ----------
    released : Released
    top : int, optional
        Only the first rows; totals stay those of the whole table.
    words : Words
        Language of headings, figures and notes; texts of the data stay as they are.

    Returns
    -------
    SafeHtml
        Caption, headings with units and tooltips, rows, totals; then what is not shown and why.
        The columns of most weight are shown (`priority`), sentences under their row.
    """
    shown = released.first(top)
    if len(shown.table) == 0:
        return joined([tag("p", words("no_rows")), _said(shown, [], words)])
    texts = _texts(shown, words)
    for name in texts:
        if name.endswith("grid_reference"):  # a reference that breaks is misread
            texts[name] = [each.replace(" ", "\u00a0") for each in texts[name]]
    unknown = [name for name in texts if shown.table[name].isna().all()]
    sentences = _sentences(shown, texts)
    names = _chosen(shown, [*unknown, *sentences])
    left = [name for name in texts if name not in {*names, *unknown, *sentences}]
    rows = []
    for row in range(len(shown.table)):
        rows.append(_row(shown, names, [texts[name][row] for name in names]))
        for name in sentences:
            if texts[name][row] in NOTHING:
                continue
            label = words.text(shown.columns[name].label)
            rows.append(_sentence(label, texts[name][row], len(names)))
    parts = [
        tag("caption", clean(words.text(shown.title))),
        tag("thead", _head(shown, names, words)),
        tag("tbody", joined(rows)),
    ]
    if any(name in shown.totals for name in names):
        parts.append(tag("tfoot", _totals(shown, names, words)))
    named = (("columns_unknown", unknown), ("columns_left", left))
    further = [words(key, list=_labels(shown, each, words)) for key, each in named if each]
    return joined([tag("table", joined(parts)), _said(shown, further, words)])


def _sentences(released: Released, texts: dict[str, list[str]]) -> list[str]:
    """Name the columns of texts so long that they go under their row."""
    return [
        name
        for name, said in texts.items()
        if not is_number(released.table[name]) and max(map(len, said), default=0) > LONG_TEXT
    ]


def row_sentences(released: Released, words: Words = ENGLISH) -> list[list[str]]:
    """Write what goes under each row on paper and slides: "Label. Text", a sentence a column."""
    texts = _texts(released, words)
    named = [(words.text(released.columns[name].label), texts[name])
             for name in _sentences(released, texts)]  # fmt: skip
    return [
        [f"{label}. {said[row]}" for label, said in named if said[row] not in NOTHING]
        for row in range(len(released.table))
    ]


def _sentence(label: str, said: str, columns: int) -> SafeHtml:
    """Write a long text under its row."""
    parts = [tag("b", f"{label}."), tag("span", said, dir="auto")]
    return tag("tr", tag("td", joined(parts, " "), colspan=columns), class_="poc-sentence")


def _texts(released: Released, words: Words) -> dict[str, list[str]]:
    """Write every column: figures, yes and no, and the unknown in the words of a language."""
    texts = {name: phrased(released.table[name], spec) for name, spec in released.columns.items()}
    if words.language == "en":
        return texts
    for name, said in texts.items():
        values, missing = released.table[name], released.columns[name].missing
        if is_number(values):
            known = {missing: words.text(missing)} if missing in said and missing != "–" else {}
            texts[name] = [known.get(each, words.figures(each)) for each in said]
        elif pd.api.types.is_bool_dtype(values):
            claims = {"yes": words("yes"), "no": words("no")}
            texts[name] = [claims.get(each, each) for each in said]
        else:
            texts[name] = words.values(said)
    return texts


def chosen_texts(
    released: Released, most: int, words: Words = ENGLISH
) -> tuple[list[str], list[list[str]]]:
    """Write the weightiest columns of a table for paper and slides: headings, and rows of texts.

    Columns of sentences (see `row_sentences`) and those that are unknown throughout are left out;
    in a language written from the right, the first column is the last of each row.
    """
    texts = _texts(released, words)
    without = _sentences(released, texts)
    without += [name for name in texts if released.table[name].isna().all()]
    ordered = sorted(
        (name for name in texts if name not in without),
        key=lambda name: released.columns[name].priority,
    )[:most]
    names = [name for name in texts if name in ordered]
    names = names[::-1] if words.right_to_left else names
    headings = [_heading(released.columns[name], words) for name in names]
    return headings, [list(row) for row in zip(*(texts[name] for name in names), strict=True)]


def _chosen(released: Released, without: list[str]) -> list[str]:
    """Choose the columns of most weight, in the table's order."""
    names = [name for name in released.columns if name not in without]
    ordered = sorted(names, key=lambda name: released.columns[name].priority)
    kept = {name for name in ordered[:MOST_COLUMNS] if released.columns[name].priority < 3}
    kept |= set(names[:1])
    return [name for name in names if name in kept]


def _heading(column: ColumnSpec, words: Words) -> str:
    spec = column_in(column, words)
    return f"{spec.label} ({spec.unit})" if spec.unit else spec.label


def _head(released: Released, names: list[str], words: Words) -> SafeHtml:
    cells = []
    for name in names:
        spec = released.columns[name]
        label = _heading(spec, words)
        cells.append(
            tag("th", clean(label), title=clean(spec.help), class_=_class(released.table[name]))
        )
    return tag("tr", joined(cells, ""))


def _row(released: Released, names: list[str], words: list[str]) -> SafeHtml:
    cells = [
        tag("td", word, class_=_class(released.table[name]))
        for name, word in zip(names, words, strict=True)
    ]
    return tag("tr", joined(cells, ""))


def _totals(released: Released, names: list[str], words: Words) -> SafeHtml:
    cells = []
    for position, name in enumerate(names):
        total = released.totals.get(name)
        word = words("total") if position == 0 else ""
        if total is not None:
            word = words.figures(_total(released, name, released.columns[name], total))
        cells.append(tag("th", word, class_=_class(released.table[name])))
    return tag("tr", joined(cells, ""))


def _total(released: Released, name: str, spec: ColumnSpec, total: float) -> str:
    values = released.table[name]
    least = values.isna().any() and (spec.counts is None or released.audience == "internal")
    return ("≥ " if least else "") + figure(total, digits_of(values, spec))


def _class(values: pd.Series) -> str | None:
    return "poc-number" if is_number(values) else None


def _labels(released: Released, names: list[str], words: Words) -> str:
    return words("comma").join(words.text(released.columns[name].label) for name in names)


def _said(released: Released, further: list[str], words: Words) -> SafeHtml:
    """Say what is not shown, and why."""
    lines = [*further, *map(words.text, released.notes)]
    lines += [words("withheld", line=words.text(line)) for line in released.withheld]
    spans = [tag("span", clean(line), dir="auto") for line in lines]
    return tag("p", joined(spans, " "), class_="poc-notes") if spans else SafeHtml("")
