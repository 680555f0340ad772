"""Pages in French and Arabic: every text of the maps and of what stands around them is there."""

import re

import pytest

from pocgeo.ground.markings import MARKINGS
from pocgeo.layers.catalog import layer_spec
from pocgeo.products.columns import column_specs
from pocgeo.products.maps import draw, map_names, map_spec
from pocgeo.products.maps.page import DISCLAIMER
from pocgeo.products.maps.spec import MapSpec
from pocgeo.products.maps.translation import columns_of, spec_in
from pocgeo.products.words import ENGLISH, LANGUAGES, Words, messages
from tests.map_samples import CELL_COLUMNS, cell_table, frame, island, overlays, released

OTHERS = sorted(set(LANGUAGES) - {"en"})
HOLES = re.compile(r"{\w+}")


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("section", ["words", "page"])
def test_every_sentence_of_ours_is_there_with_its_holes(language, section):
    english, known = messages("en")[section], messages(language)[section]
    assert set(known) == set(english)
    for key, said in known.items():
        assert sorted(HOLES.findall(said)) == sorted(HOLES.findall(english[key])), key


@pytest.mark.parametrize("language", OTHERS)
def test_holes_of_translated_sentences_are_those_of_the_english(language):
    for english, said in messages(language)["texts"].items():
        assert sorted(HOLES.findall(said)) == sorted(HOLES.findall(english)), english
    assert set(messages("fr")["texts"]) == set(messages("ar")["texts"])


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_maps_is_translated(language):
    words = Words(language)
    for name in map_names():
        spec = map_spec(name)
        spec_in(spec, words)
        for column in columns_of(spec) & set(column_specs()):
            words.text(column_specs()[column].label)
            words.text(column_specs()[column].unit or "")
        for measure in spec.measures:
            if not measure.help and measure.column in column_specs():
                words.text(column_specs()[measure.column].help)
    for said in (DISCLAIMER, *MARKINGS, "internal", "partners", "public"):
        words.text(said)
    assert words.untranslated == set()


def test_figures_days_and_holes_are_written_as_the_language_does():
    words = Words("fr")
    assert words.figures("1,234.5") == "1\u202f234,5"
    assert Words("ar").figures("1,234.5") == ENGLISH.figures("1,234.5") == "1,234.5"
    said = words.text("Confidential, in no product: Roads, Account.")
    assert said == "Confidentiel, dans aucun produit : Routes, Account."
    assert words.untranslated == set()
    assert words.text(said) == said  # what is said already is not looked for again
    assert words.untranslated == set()
    assert words.text("A sentence of nobody") == "A sentence of nobody"
    assert words.untranslated == {"A sentence of nobody"}


@pytest.mark.parametrize("language", OTHERS)
def test_a_page_says_how_much_of_it_stayed_english(language):
    coast = island()
    cells = released(cell_table(coast, 6), *CELL_COLUMNS, resolution=6, name="gaps")
    page = draw(map_spec("coverage_gaps"), cells, overlays(coast), frame(coast, language=language))
    words = messages(language)
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page
    assert words["texts"]["UNCLASSIFIED"] in page
    assert words["texts"]["People in the gap"] in page
    left = words["words"]["untranslated"].split("{")[0]
    assert left in page  # the method and the note of the sample are nobody's


def test_columns_of_the_houses_words_are_translated_and_names_stay():
    words = Words("fr")
    assert words.values(["inside", "undecided", "–"]) == ["à l'intérieur", "indécis", "–"]
    assert words.values(["inside", "Battle Creek"]) == ["inside", "Battle Creek"]
    assert words.values(["whole AOI", "Doruna"]) == ["zone entière", "Doruna"]
    assert ENGLISH.values(["inside"]) == ["inside"]
    assert set(messages("fr")["values"]) == set(messages("ar")["values"])
    for layer, field in (("incidents", "incident_type"), ("incidents", "perpetrator")):
        known = {each.replace("_", " ") for each in layer_spec(layer).field(field).categories}
        assert known <= set(messages("fr")["values"])


def test_english_needs_no_translation():
    spec = map_spec("coverage_gaps")
    assert isinstance(spec, MapSpec)
    assert spec_in(spec, ENGLISH) == spec
    assert ENGLISH.untranslated == set()
