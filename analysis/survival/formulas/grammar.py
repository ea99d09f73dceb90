"""The right-hand side of a formula as data: terms, each a product of factors; nothing is evaluated here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import product

from analysis.errors import InputError, raise_all
from analysis.survival.formulas.calls import read_call, unquoted
from analysis.survival.formulas.expressions import MOST_NESTED, Factor, check_length, column_factor, refused

MOST_CHARACTERS, MOST_TERMS, MOST_FACTORS = 100_000, 5_000, 6
_BLANK = re.compile(r"\s*")
_TOKEN = re.compile(
    r"(?P<call>[^\W\d][\w.]*(?=\())|(?P<name>[^\W\d][\w.]*|`(?:[^`]|``)+`)|(?P<number>\d+(?![\w.]))"
    r"|(?P<sign>\*\*|[-+*/:^()])"
)
_SKIPPED = re.compile(r"`(?:[^`]|``)+`|'[^'\n]*'|\"[^\"\n]*\"|[^()`'\"]+|[()]")
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, ":": 3, "^": 4, "**": 4}


@dataclass(frozen=True, eq=False)
class Term:
    """A product of factors; two are equal when they hold the same factors, in whatever order."""

    factors: tuple[Factor, ...]

    @cached_property
    def key(self) -> frozenset[Factor]:
        """What makes it equal to another."""
        return frozenset(self.factors)

    def __hash__(self) -> int:
        """Equal terms have one hash."""
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        """The same factors."""
        return isinstance(other, Term) and self.key == other.key

    @property
    def text(self) -> str:
        """The term as it is written."""
        return ":".join(factor.text for factor in self.factors)

    def times(self, other: Term) -> Term:
        """The product of two terms, a factor of both in it once."""
        return Term(tuple(dict.fromkeys((*self.factors, *other.factors))))


Terms = dict[Term, None]
"""Terms in their order, each once."""
INTERCEPT = Term(())


def parse_formula(text: str, columns: Collection[object] = ()) -> tuple[Term, ...]:
    """The terms of a formula's right-hand side, main effects before interactions.

    Operators, from the one that binds most: ``^`` (or ``**``), ``:``, ``*`` and ``/``, ``+`` and ``-``, as in R.

    Parameters
    ----------
    text : str
        Such as "age + sex * log2(crp)".
    columns : collection, optional
        The columns that there are, as `read_call` takes them.

    Returns
    -------
    tuple of Term
        Without an intercept: a Cox model has none, whatever the formula says of it.

    Raises
    ------
    InputError
        A formula that is none, or that says what `read_call` refuses.

    Examples
    --------
    >>> [term.text for term in parse_formula("a*b + log(`Mg (mmol/L)`) - b")]
    ['a', 'log(Mg (mmol/L))', 'a:b']
    """
    check_length("formula", text, MOST_CHARACTERS)
    plain = text.strip().removeprefix("~")
    return _in_order(_Parser(text, _tokens(text, plain), columns).whole())


def parse_terms(terms: Iterable[str], columns: Iterable[str]) -> tuple[Term, ...]:
    """A list of columns, of whatever name, and of formula terms as the terms of one model.

    Parameters
    ----------
    terms : iterable
        What is the name of a column is that column; anything else is a formula.
    columns : iterable
        The names of the columns that there are.

    Returns
    -------
    tuple of Term
        Main effects before interactions.

    Raises
    ------
    InputError
        As `parse_formula`; a term that names no column.

    Examples
    --------
    >>> [term.text for term in parse_terms(["1", "log", "log(age):sex"], ["1", "log", "age", "sex"])]
    ['1', 'log', 'log(age):sex']
    """
    known = set(columns)
    found: list[Term] = []
    problems: list[str] = []
    for term in terms:
        try:
            found += (Term((column_factor(term),)),) if term in known else _one_of_list(term, known)
        except InputError as error:
            problems += error.problems
    raise_all(list(dict.fromkeys(problems)), InputError)
    return _in_order(dict.fromkeys(found))


def _one_of_list(term: object, columns: Collection[object]) -> tuple[Term, ...]:
    """The terms of one member of a list that is no column."""
    if not isinstance(term, str):
        raise InputError(f"covariates: {term!r} is neither a column nor the text of a term")
    parsed = parse_formula(term, columns)
    if not parsed:
        raise InputError(f"covariates: the term {term!r} names no column")
    return parsed


def _in_order(terms: Terms) -> tuple[Term, ...]:
    """Main effects before interactions; without an intercept."""
    return tuple(sorted((term for term in terms if term.factors), key=lambda term: len(term.factors)))


def columns_of(terms: Iterable[Term]) -> tuple[str, ...]:
    """The columns that terms name, each once, in their order.

    Examples
    --------
    >>> columns_of(parse_formula("log2(crp) + `a.b`:age"))
    ('crp', 'a.b', 'age')
    """
    factors = [factor for term in terms for factor in term.factors]
    return tuple(dict.fromkeys(name for factor in factors for name in factor.columns))


def _tokens(text: str, plain: str) -> list[tuple[str, str]]:
    """What a formula is made of: factors (names and whole calls), whole numbers and signs."""
    tokens, at = [], _end_of_blank(plain, 0)
    while at < len(plain):
        found = _TOKEN.match(plain, at)
        if found is None:
            raise _unreadable(text, plain[at])
        what, end = str(found.lastgroup), found.end()
        if what == "call":
            end = _end_of_call(text, plain, found.end())
        tokens.append((what, plain[at:end]))
        at = _end_of_blank(plain, end)
    return tokens


def _end_of_blank(plain: str, at: int) -> int:
    """Where the next sign stands."""
    found = _BLANK.match(plain, at)
    return found.end() if found else at


def _end_of_call(text: str, plain: str, at: int) -> int:
    """Where the bracket closes that opens here; brackets within quotes do not count."""
    depth = 0
    while at < len(plain):
        found = _SKIPPED.match(plain, at)
        if found is None:
            break
        at = found.end()
        depth += (found[0] == "(") - (found[0] == ")")
        if not depth:
            return at
    raise refused("formula", text, "a bracket or a quote is not closed")


def _unreadable(text: str, sign: str) -> InputError:
    """An error on a sign that no formula has outside a function's brackets."""
    if sign == "~":
        return InputError(f"covariates: {text!r} has a left side; give the right-hand side only, the endpoint is known")
    if sign in "<>=!&|%":
        return refused("formula", text, f"{sign!r} can stand only within I(...) or C(...)")
    return refused("formula", text, f"{sign!r} cannot stand in it")


@dataclass
class _Parser:
    """Reads the tokens of one formula from left to right."""

    text: str
    tokens: Sequence[tuple[str, str]]
    columns: Collection[object]
    at: int = 0
    depth: int = 0
    factors: dict[str, Factor] = field(default_factory=dict)

    def whole(self) -> Terms:
        """All terms; the intercept among them where the formula says so."""
        if not self.tokens:
            return {}
        terms = self.sum_of(1)
        if self.at < len(self.tokens):
            raise self.refused(f"{self.tokens[self.at][1]!r} follows without a sign between")
        return terms

    def refused(self, why: str) -> InputError:
        """An error on this formula."""
        return refused("formula", self.text, why)

    def next_sign(self) -> str:
        """The sign that comes next, if one does."""
        what, held = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        return held if what == "sign" else ""

    def sum_of(self, binding: int) -> Terms:
        """Terms joined by operators that bind at least so much."""
        left = self.operand(binding)
        while _BINDING.get(self.next_sign(), 0) >= binding:
            sign = self.next_sign()
            self.at += 1
            binds = _BINDING[sign]
            left = self.power(left) if binds == 4 else self.joined(sign, left, self.sum_of(binds + 1))
        return left

    def operand(self, binding: int) -> Terms:
        """One factor, terms in brackets, an intercept, or terms with a sign before them."""
        if self.at == len(self.tokens):
            raise self.refused("it ends where a term is expected")
        what, held = self.tokens[self.at]
        self.at += 1
        if what in ("name", "call"):
            return {Term((self.factor(what, held),)): None}
        if what == "number":
            return self.intercept(held)
        if held == "(":
            return self.in_brackets()
        if held in "+-" and binding == 1:
            found = self.sum_of(2)
            return found if held == "+" else self.without({}, found)
        raise self.refused(f"{held!r} stands where a term is expected")

    def factor(self, what: str, held: str) -> Factor:
        """A column or a call, read once."""
        if held not in self.factors:
            self.factors[held] = read_call(held, self.columns) if what == "call" else column_factor(unquoted(held))
        return self.factors[held]

    def intercept(self, held: str) -> Terms:
        """1 and 0 speak of an intercept; other numbers say nothing."""
        if held not in ("0", "1"):
            raise self.refused(
                f"the number {held} is no term; a column of that name stands in backticks, a multiple in"
                f" I({held} * age)"
            )
        return {INTERCEPT: None} if held == "1" else {}

    def in_brackets(self) -> Terms:
        """Terms in brackets."""
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise self.refused(f"brackets stand within one another more than {MOST_NESTED} times")
        terms = self.sum_of(1)
        if self.next_sign() != ")":
            raise self.refused("a bracket is not closed")
        self.at += 1
        self.depth -= 1
        return terms

    def power(self, left: Terms) -> Terms:
        """All products of so many of the terms."""
        what, held = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "nothing")
        self.at += 1
        if what != "number" or not int(held[:4]):
            raise self.refused(f"a power of terms is a whole number above zero, got {held}")
        if len(left) == 1 and INTERCEPT not in left:
            shown = next(iter(left)).text
            raise self.refused(
                f"{shown}^{held} is {shown} itself, for operators join terms; write I({shown}**{held}) for the number's"
                " power"
            )
        found = left
        for _ in range(int(held[:4]) - 1):
            longer = self.joined("*", found, left)
            if len(longer) == len(found):
                break
            found = longer
        return found

    def joined(self, sign: str, left: Terms, right: Terms) -> Terms:
        """Two sets of terms joined by an operator."""
        if sign == "-":
            return self.without(left, right)
        terms = {} if sign == ":" else dict(left)
        if sign in ("+", "*"):
            terms |= right
        if sign == "/":
            left = {reduce(Term.times, left, INTERCEPT): None}
        if sign != "+":
            terms |= self.products(left, right)
        if len(terms) > MOST_TERMS:
            raise self.refused(f"it has more than {MOST_TERMS:,} terms")
        return terms

    def without(self, left: Terms, right: Terms) -> Terms:
        """The terms of the one that the other has not; all of the other but an intercept must be among them."""
        absent = [term.text for term in right if term not in left and term.factors]
        if absent:
            raise self.refused(f"{absent[0]!r} is taken away from terms that do not hold it")
        return {term: None for term in left if term not in right}

    def products(self, left: Terms, right: Terms) -> Terms:
        """Every product of a term of the one and a term of the other."""
        if len(left) * len(right) > 4 * MOST_TERMS:
            raise self.refused(f"it has more than {MOST_TERMS:,} terms")
        terms = dict.fromkeys(one.times(other) for one, other in product(left, right))
        if any(len(term.factors) > MOST_FACTORS for term in terms):
            raise self.refused(f"an interaction has more than {MOST_FACTORS} factors")
        return terms
