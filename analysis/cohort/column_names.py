"""What a column's name says about what it holds: for warnings and for choosing among columns, never for values."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_EVENT = re.compile(
    r"event|status|dead|death|died|deceased|progress|relapse|recur|fail|outcome|vital|alive"
    r"|^(?:still[ _.-]*)?living$|surviv(?:ed|or)|disease[ _.-]*free|verstorben|gestorben|rezidiv"
    r"|(?:^|[ _.-])tod(?:$|[ _.-])|d[eé]c[eè]s|d[eé]c[eé]d[eé]|[eé]v[eé]nement|r[eé]cidive|fallec|muert[eo]|exitus"
    r"|evento|reca[ií]da|decess|deced|srvstat|(?:^|[ _.])(?:d|e|ev|delta|y)$",
    re.IGNORECASE,
)
_CENSORED = re.compile(r"\b(?:os|[pdremct]+fs|dss|css|ttp)?(?:cens(?!us)|cnsr)")
_UNCENSORED = re.compile(r"\b(?:un|non?|not) ?cens(?!us)")
_EVENT_FREE = re.compile(r"\b(?:alive|living|surviv(?:ed|ing|or))\b|free$")
_MAGNESIUM = re.compile(
    r"magn[eé]s|mg\s*(?:2\+|²⁺)"
    r"|^(?:baseline|serum|s|p)?[ _.-]*mg[ _.-]*(?:0|baseline|serum|level|[(\[]?mmol.*)?$",
    re.IGNORECASE,
)
_NO_CONCENTRATION = re.compile(
    r"hyp(?:o|er)magnes|grade|ctcae|supplement|dose|change|delta|diff|group|categ|strat|quart|tert", re.IGNORECASE
)
_OTHER_UNIT = re.compile(r"mg[ _./]*(?:per[ _]*)?dl|meq|mg[ _./]*l\b", re.IGNORECASE)
_PERSON = re.compile(
    r"(?:patient(?:en|in)?|subj|subject|usubj|pat|pt|participant|proband|person|mrn|p)(?:id|no|nr|num|number|nummer)?"
)
_NUMBERED = frozenset(
    ("id", "no", "nr", "num", "number", "nummer", "code", "key", "identifier", "barcode", "submitter")
)
_SOURCES = frozenset(("study", "record", "case", "cases", "unique", "bcr"))


def _vocabulary(words: str) -> frozenset[str]:
    """Words, in the languages of clinics, that stand between blanks."""
    return frozenset(words.split())


_TIME_UNITS = {
    "months": _vocabulary("month months mo mos mths monat monate monaten mois mes meses mese mesi"),
    "days": _vocabulary("day days tag tage tagen jour jours dia dias día días giorno giorni"),
    "weeks": _vocabulary("week weeks wks woche wochen semaine semaines semana semanas settimana settimane"),
    "years": _vocabulary("year years yrs jahr jahre jahren ans annees années años anni"),
}
_TIMES = _vocabulary(
    "time duration followup follow survival aval srv zeit dauer überleben überlebenszeit nachbeobachtung temps durée"
    " duree délai delai suivi survie tiempo seguimiento supervivencia tempo durata sopravvivenza"
)
_NO_TIMES = _vocabulary("age date datetime alter âge edad età datum fecha")
_ACRONYMS = frozenset(("os", "pfs", "dfs", "dss", "pfi", "dfi", "rfs", "efs", "mfs", "css", "ttp", "fstat", "pstat"))
_LATE_ENTRY = frozenset(("start", "tstart", "entry", "enter", "stop", "tstop"))


def _words(name: str) -> set[str]:
    """The words of a name in lower case: "osMonths" and "os_months" alike."""
    return {word.lower() for word in _WORD.findall(name)}


def _spelt_out(name: str) -> str:
    """The words of a name in lower case and in order: "osCens" as "os cens"."""
    return " ".join(_WORD.findall(name)).lower()


def _parts(name: str) -> list[str]:
    """The parts of a name in lower case, in any script: "_PATIENT", "Patienten-Nr" and "patientId" alike."""
    return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def looks_like_event(name: str) -> bool:
    """Whether a column is likely to hold events.

    Examples
    --------
    >>> [looks_like_event(name) for name in ("os_event", "vital status", "uncensored", "sex", "death_date", "census")]
    [True, True, True, False, False, False]
    """
    words = _spelt_out(name)
    named = _EVENT.search(name) or _CENSORED.search(words) or _UNCENSORED.search(words)
    return bool(named) and time_unit_of(name) is None and "date" not in _words(name)


def looks_like_no_event(name: str) -> bool:
    """Whether a flag's name says that the event was not seen: censored, alive, relapse-free.

    Examples
    --------
    >>> [looks_like_no_event(name) for name in ("CNSR", "osCens", "PFSCENS", "alive", "relapse_free")]
    [True, True, True, True, True]
    >>> [looks_like_no_event(name) for name in ("uncensored", "not_censored", "census", "licenses", "death")]
    [False, False, False, False, False]
    """
    words = _spelt_out(name)
    return bool(_EVENT_FREE.search(words) or (_CENSORED.search(words) and not _UNCENSORED.search(words)))


def is_cdisc_censoring(name: str) -> bool:
    """Whether a column is CNSR of CDISC ADTTE, where by the standard 0 is the event."""
    return name.lower() == "cnsr"


def looks_like_magnesium(name: str) -> bool:
    """Whether a column is plainly a concentration of magnesium, and its name gives no unit other than mmol/L.

    Examples
    --------
    >>> [looks_like_magnesium(name) for name in ("magnesium", "Mg²⁺ (mmol/L)", "mg", "mg_mg_dl", "dose_mg")]
    [True, True, True, False, False]
    >>> [looks_like_magnesium(name) for name in ("hypomagnesemia", "magnesium_supplement", "Magnesium grade (CTCAE)")]
    [False, False, False]
    """
    return bool(_MAGNESIUM.search(name)) and not (_OTHER_UNIT.search(name) or _NO_CONCENTRATION.search(name))


def looks_like_patient(name: str) -> bool:
    """Whether a column is likely to say who the patient is.

    Examples
    --------
    >>> names = ("patient_id", "USUBJID", "_PATIENT", "Patienten-Nr", "study_id", "site_id", "case", "pt_age")
    >>> [looks_like_patient(name) for name in names]
    [True, True, True, True, True, False, False, False]
    """
    parts, persons = _parts(name), _persons(name)
    named = bool(persons) or (bool(_NUMBERED & set(parts)) and not set(parts) <= _NUMBERED - {"id"})
    return named and all(part in persons or part in _NUMBERED | _SOURCES for part in parts)


def names_a_person(name: str) -> bool:
    """Whether an identifier is a person's by its name, where study_id, record_id and id may be a trial's as well.

    Examples
    --------
    >>> [names_a_person(name) for name in ("patient_id", "USUBJID", "study_id", "id")]
    [True, True, False, False]
    """
    return bool(_persons(name))


def _persons(name: str) -> list[str]:
    """The parts of a name that mean a person."""
    return [part for part in _parts(name) if _PERSON.fullmatch(part) and part != "p"]


def looks_like_late_entry(name: str) -> bool:
    """Whether a column is likely to hold the start or the stop of a spell."""
    return bool(_words(name) & _LATE_ENTRY)


def looks_like_outcome(name: str) -> bool:
    """Whether a column is likely to be part of an outcome, and so no marker and no covariate.

    Examples
    --------
    >>> [looks_like_outcome(name) for name in ("OS", "DSS_STATUS", "futime", "recur", "tstop", "ldh", "age_years")]
    [True, True, True, True, True, False, False]
    """
    timed = time_unit_of(name) is not None or looks_like_late_entry(name)
    return timed or looks_like_event(name) or bool(_words(name) & _ACRONYMS)


def time_unit_of(name: str) -> str | None:
    """The unit of a follow-up time by its column's name; "time" where the name gives none, None for no time.

    Examples
    --------
    >>> [time_unit_of(name) for name in ("os_months", "futime", "death_date", "age_years")]
    ['months', 'time', None, None]
    """
    words = _words(name) | set(_parts(name))
    if words & _NO_TIMES:
        return None
    for unit, spellings in _TIME_UNITS.items():
        if words & spellings:
            return unit
    return "time" if words & _TIMES or any(word.endswith("time") for word in words) else None
