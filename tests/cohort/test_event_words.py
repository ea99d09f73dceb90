"""Words in event columns, in the languages of clinics."""

from __future__ import annotations

import pytest

from analysis.cohort.event_words import event_of_word, likely_codes

SEEN = (
    "Dead DECEASED died expired 1:DECEASED 1:Recurred/Progressed verstorben tot ja décédé décédée oui fallecido muerto"
)
NOT_SEEN = "Alive LIVING 0:LIVING 0:DiseaseFree censored lebend nein vivant non vivo viva"


@pytest.mark.parametrize("word", [*SEEN.split(), "sí", "deceduto", "morto", "1"])
def test_words_for_an_event(word):
    assert event_of_word(word) == 1


@pytest.mark.parametrize("word", [*NOT_SEEN.split(), "am leben", "no", "0"])
def test_words_for_none(word):
    assert event_of_word(word) == 0


@pytest.mark.parametrize("word", ["Unknown", "left", "2", "", "deadline", "stage 1"])
def test_other_words_say_neither(word):
    assert event_of_word(word) is None


def test_codes_to_check_have_one_event_where_no_word_is_known():
    assert likely_codes(["1:DECEASED", "0:LIVING"]) == {"1:DECEASED": 1, "0:LIVING": 0}
    assert likely_codes(["red", "green", "blue"]) == {"red": 1, "green": 0, "blue": 0}
    assert likely_codes(["alive", "gone"]) == {"alive": 0, "gone": 1}
