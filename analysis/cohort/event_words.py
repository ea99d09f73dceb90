"""Words in an event column, in the languages of clinics: which say that the event was seen, which that it was not."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SEEN = (
    "dead|death|died|deceased|expired|event|progressed|progression|relapsed|recurred|recurrence|yes|y|true"
    "|verstorben|gestorben|tot|ja|j|décédée?|decede|deces|mort|morte|oui|fallecid[oa]|muert[oa]|exitus|sí|si|s"
    "|decedut[oa]|mort[oa]|deceso|recurred/progressed"
)
_NOT_SEEN = (
    "alive|living|censored|no event|event[ -]free|disease[ -]free|diseasefree|not progressed|no|n|false|survived|lost"
    "|lebend|lebt|am leben|nein|zensiert|vivante?|en vie|non|censurée?|viv[oa]|vivente|censurad[oa]|censurat[oa]"
)
_NUMBERED = re.compile(r"([01])\s*[:=.)-]\s*(\S.*)")
_KNOWN = tuple((re.compile(words, re.IGNORECASE), event) for words, event in ((_SEEN, 1), (_NOT_SEEN, 0)))


def event_of_word(text: str) -> int | None:
    """1 where a word says that the event was seen, 0 where not, None where it says neither.

    Examples
    --------
    >>> [event_of_word(text) for text in ("Dead", "0:LIVING", "1:DECEASED", "verstorben", "vivant", "left")]
    [1, 0, 1, 1, 0, None]
    """
    word = text.strip()
    if word in ("0", "1"):
        return int(word)
    if numbered := _NUMBERED.fullmatch(word):
        return int(numbered[1])
    return next((event for known, event in _KNOWN if known.fullmatch(word)), None)


def likely_codes(words: Sequence[str]) -> dict[str, int]:
    """A code for each word of an event column, to be checked: the event where no word is known is the first.

    Examples
    --------
    >>> likely_codes(["alive", "dead"]), likely_codes(["A", "B"])
    ({'alive': 0, 'dead': 1}, {'A': 1, 'B': 0})
    """
    known = {word: event_of_word(word) for word in words}
    if not any(known.values()):
        first = next((word for word in words if known[word] is None), "")
        return {word: int(word == first) for word in words}
    return {word: event or 0 for word, event in known.items()}
