"""The words that figures write by themselves, in some languages, with the marks of decimals and thousands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from analysis.errors import InputError

Language = Literal["en", "de", "fr", "it", "es"]
MARKS: dict[str, tuple[str, str, str]] = {
    "en": (".", ",", "%"),
    "de": (",", ".", "\N{NO-BREAK SPACE}%"),
    "fr": (",", "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}%"),
    "it": (",", ".", "%"),
    "es": (",", ".", "\N{NO-BREAK SPACE}%"),
}
"""Of decimals, of thousands, of shares."""
_WORDS = {
    "en": (
        "Survival|Cumulative incidence|Still under follow-up|At risk|At risk (events)|Events|Censored|median|"
        "true curve|Log-rank p|interaction p|Before adjustment|After adjustment|thin lines: before adjustment|"
        "Hazard ratio (logarithmic axis)|HR (95% CI)|to|n (events)|Months|Days|Weeks|Years|Hours"
    ),
    "de": (
        "Überleben|Kumulative Inzidenz|Noch unter Beobachtung|Unter Risiko|Unter Risiko (Ereignisse)|Ereignisse|"
        "Zensiert|Median|wahre Kurve|Log-Rank p|Interaktion p|Vor Adjustierung|Nach Adjustierung|"
        "dünne Linien: vor Adjustierung|Hazard Ratio (logarithmische Achse)|HR (95-%-KI)|bis|n (Ereignisse)|"
        "Monate|Tage|Wochen|Jahre|Stunden"
    ),
    "fr": (
        "Survie|Incidence cumulée|Encore suivis|À risque|À risque (événements)|Événements|Censurés|médiane|"
        "courbe vraie|Log-rank p|interaction p|Avant ajustement|Après ajustement|traits fins : avant ajustement|"
        "Rapport de risques instantanés (axe logarithmique)|HR (IC à 95 %)|à|n (événements)|Mois|Jours|Semaines|"
        "Années|Heures"
    ),
    "it": (
        "Sopravvivenza|Incidenza cumulativa|Ancora in osservazione|A rischio|A rischio (eventi)|Eventi|Censurati|"
        "mediana|curva vera|Log-rank p|interazione p|Prima dell'aggiustamento|Dopo l'aggiustamento|"
        "linee sottili: prima dell'aggiustamento|Hazard ratio (asse logaritmico)|HR (IC 95%)|a|n (eventi)|Mesi|"
        "Giorni|Settimane|Anni|Ore"
    ),
    "es": (
        "Supervivencia|Incidencia acumulada|Aún en seguimiento|En riesgo|En riesgo (eventos)|Eventos|Censurados|"
        "mediana|curva verdadera|Log-rank p|interacción p|Antes del ajuste|Después del ajuste|"
        "líneas finas: antes del ajuste|"
        "Razón de riesgos instantáneos (eje logarítmico)|HR (IC 95 %)|a|n (eventos)|Meses|Días|Semanas|Años|"
        "Horas"
    ),
}
TRANSLATED = {
    english: dict(zip(_WORDS, words, strict=True))
    for english, *words in zip(_WORDS["en"].split("|"), *(words.split("|") for words in _WORDS.values()), strict=True)
}
OPTIONS = ("decimal", "thousands", "percent")


@dataclass(frozen=True)
class Words:
    """The words of a figure by their English ones, and its marks of decimals, thousands and shares."""

    given: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "."
    thousands: str = ","
    percent: str = "%"

    def __getitem__(self, english: str) -> str:
        """The word for an English one; itself where there is no other."""
        return self.given.get(english, english)

    def number(self, text: str) -> str:
        """A number as English writes it (1,234.5) with this language's marks."""
        parts = text.split(".")
        return self.decimal.join(part.replace(",", self.thousands) for part in parts)

    def share(self, value: float) -> str:
        """A share in per cent, without decimals; 0 is 0."""
        return f"{100 * value:.0f}{self.percent}" if value else "0"

    def unit(self, time_unit: str) -> str:
        """A unit of time at the start of a sentence."""
        return self[time_unit[:1].upper() + time_unit[1:]]


ENGLISH = Words()


def words_of(given: Language | Mapping[str, str]) -> Words:
    """The words of a language, or English ones with some replaced.

    Parameters
    ----------
    given : {"en", "de", "fr", "it", "es"} or mapping
        A mapping has English words of figures as keys, and may have "decimal", "thousands" and "percent", the marks.

    Returns
    -------
    Words

    Raises
    ------
    InputError
        A language that is not known, or a key that no figure writes; the keys are named.

    Examples
    --------
    >>> german = words_of("de")
    >>> german["At risk"], german.number("1,234.5"), german.unit("months")
    ('Unter Risiko', '1.234,5', 'Monate')
    >>> words_of({"At risk": "Still here", "decimal": "·"}).number("0.5")
    '0·5'
    """
    if isinstance(given, str):
        if given not in MARKS:
            raise InputError(
                f"words={given!r}: the languages are {', '.join(map(repr, MARKS))}; for another, give a mapping of"
                f" English words to yours: {', '.join(map(repr, TRANSLATED))}"
            )
        known = {english: by_language[given] for english, by_language in TRANSLATED.items()}
        return Words(known, *MARKS[given])
    unknown = [key for key in given if key not in TRANSLATED and key not in OPTIONS]
    if unknown:
        raise InputError(
            f"words: no figure writes {', '.join(map(repr, unknown))}; the keys are"
            f" {', '.join(map(repr, (*TRANSLATED, *OPTIONS)))}"
        )
    marks = {name: given[name] for name in OPTIONS if name in given}
    return Words({key: word for key, word in given.items() if key not in OPTIONS}, **marks)
