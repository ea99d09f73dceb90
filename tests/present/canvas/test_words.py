"""The words that figures write by themselves: every language has every word, marks are its own."""

import string

import pytest

from analysis.errors import InputError
from analysis.present.canvas.words import MARKS, TRANSLATED, Words, words_of


@pytest.mark.parametrize("language", MARKS)
def test_every_language_has_every_word(language):
    words = words_of(language)
    for english in TRANSLATED:
        assert words[english].strip() == words[english] != ""
    if language != "en":
        assert sum(words[english] == english for english in TRANSLATED) <= 3


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "1,234.5"),
        ("de", "1.234,5"),
        ("fr", "1\N{NARROW NO-BREAK SPACE}234,5"),
        ("it", "1.234,5"),
        ("es", "1.234,5"),
    ],
)
def test_numbers_have_the_marks_of_the_language(language, expected):
    assert words_of(language).number("1,234.5") == expected
    assert not set(words_of(language).number("<0.001")) & set(string.ascii_letters)


def test_shares_and_units_are_in_the_language():
    assert words_of("de").share(0.25) == "25\N{NO-BREAK SPACE}%"
    assert words_of("en").share(0.25) == "25%"
    assert words_of("fr").share(0.0) == "0"
    assert words_of("es").unit("days") == "Días"
    assert words_of("de").unit("cycles") == "Cycles"


def test_a_mapping_replaces_some_words_and_marks_and_leaves_the_rest():
    words = words_of({"Events": "Deaths", "percent": " percent"})
    assert words == Words({"Events": "Deaths"}, percent=" percent")
    assert (words["Events"], words["Censored"], words.share(0.5)) == ("Deaths", "Censored", "50 percent")


def test_a_language_or_a_word_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(InputError, match="words='pt': the languages are 'en', 'de', 'fr', 'it', 'es'"):
        words_of("pt")
    with pytest.raises(InputError, match=r"words: no figure writes 'events'; the keys are 'Survival', .*'decimal'"):
        words_of({"events": "Deaths"})
