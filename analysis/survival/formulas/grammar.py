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
_TOKEN = re.compile(
    r"(?P<blank>\s+)|(?P<call>[^\W\d][\w.]*(?=\())|(?P<name>[^\W\d][\w.]*|`(?:[^`]|``)+`)|(?P<number>\d+(?![\w.]))"
    r"|(?P<sign>\*\*|[-+*/:^()])"
)
_SKIPPED = re.compile(r"`(?:[^`]|``)+`|'[^'\n]*'|\"[^\"\n]*\"|[^()`'\"]+|[()]")
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, ":": 3, "^": 4, "**": 4}


@dataclass(frozen=True, eq=False)
class Term:
    """A product of factors; two are equal when they have the same factors, in whatever order."""

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
        Without an intercept: a Cox model has none, whatever the formula asks for.

    Raises
    ------
    InputError
        A formula that cannot be read, or with a call that `read_call` refuses.

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
        A column's name is that column; anything else is a formula.
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
    parsed: list[Term] = []
    problems: list[str] = []
    for term in terms:
        try:
            parsed += (Term((column_factor(term),)),) if term in known else _one_of_list(term, known)
        except InputError as error:
            problems += error.problems
    raise_all(list(dict.fromkeys(problems)), InputError)
    return _in_order(dict.fromkeys(parsed))


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
    """The tokens of a formula: names, whole calls, whole numbers and operators; the last marks the end."""
    tokens, at = [], 0
    while at < len(plain):
        match = _TOKEN.match(plain, at)
        if match is None:
            raise _unreadable(text, plain[at])
        what = str(match.lastgroup)
        end = _end_of_call(text, plain, match.end()) if what == "call" else match.end()
        if what != "blank":
            tokens.append((what, plain[at:end]))
        at = end
    return [*tokens, ("end", "")]


def _end_of_call(text: str, plain: str, at: int) -> int:
    """Where the bracket closes that opens here; brackets within quotes do not count."""
    depth = 0
    while at < len(plain):
        match = _SKIPPED.match(plain, at)
        if match is None:
            break
        at = match.end()
        depth += (match[0] == "(") - (match[0] == ")")
        if not depth:
            return at
    raise refused("formula", text, "a bracket or a quote is not closed")


def _unreadable(text: str, character: str) -> InputError:
    """An error on a character that no formula has outside a call."""
    if character == "~":
        return InputError(f"covariates: {text!r} has a left side; give the right-hand side only, the endpoint is known")
    if character in "<>=!&|%":
        return refused("formula", text, f"{character!r} is allowed only within I(...) or C(...)")
    return refused("formula", text, f"{character!r} is not allowed in it")


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
        if self.tokens[0][0] == "end":
            return {}
        terms = self.sum_of(1)
        if self.tokens[self.at][0] != "end":
            raise self.refused(f"{self.tokens[self.at][1]!r} follows without an operator between")
        return terms

    def refused(self, why: str) -> InputError:
        """An error on this formula."""
        return refused("formula", self.text, why)

    def next_sign(self) -> str:
        """The operator or bracket that comes next, if one does."""
        what, symbol = self.tokens[self.at]
        return symbol if what == "sign" else ""

    def advance(self) -> tuple[str, str]:
        """The next symbol, which is then behind."""
        self.at += 1
        return self.tokens[self.at - 1]

    def sum_of(self, binding: int) -> Terms:
        """Terms joined by operators that bind at least so much."""
        left = self.operand(binding)
        while _BINDING.get(self.next_sign(), 0) >= binding:
            _, operator = self.advance()
            binds = _BINDING[operator]
            left = self.power(left) if binds == 4 else self.joined(operator, left, self.sum_of(binds + 1))
        return left

    def operand(self, binding: int) -> Terms:
        """One factor, terms in brackets, an intercept, or terms after a plus or minus."""
        what, symbol = self.advance()
        if what == "end":
            raise self.refused("it ends where a term is expected")
        if what in ("name", "call"):
            return {Term((self.factor(what, symbol),)): None}
        if what == "number":
            return self.intercept(symbol)
        if symbol == "(":
            return self.in_brackets()
        if symbol in "+-" and binding == 1:
            terms = self.sum_of(2)
            return terms if symbol == "+" else self.without({}, terms)
        raise self.refused(f"{symbol!r} is where a term is expected")

    def factor(self, what: str, symbol: str) -> Factor:
        """A column or a call, read once."""
        if symbol not in self.factors:
            self.factors[symbol] = (
                read_call(symbol, self.columns) if what == "call" else column_factor(unquoted(symbol))
            )
        return self.factors[symbol]

    def intercept(self, symbol: str) -> Terms:
        """1 and 0 stand for an intercept and none; no other number is a term."""
        if symbol not in ("0", "1"):
            raise self.refused(
                f"the number {symbol} is no term; write a column of that name in backticks, a multiple as"
                f" I({symbol} * age)"
            )
        return {INTERCEPT: None} if symbol == "1" else {}

    def in_brackets(self) -> Terms:
        """Terms in brackets."""
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise self.refused(f"brackets are nested more than {MOST_NESTED} deep")
        terms = self.sum_of(1)
        if self.next_sign() != ")":
            raise self.refused("a bracket is not closed")
        self.at += 1
        self.depth -= 1
        return terms

    def power(self, left: Terms) -> Terms:
        """All products of so many of the terms."""
        what, symbol = self.advance()
        if what != "number" or not int(symbol[:4]):
            raise self.refused(f"a power of terms is a whole number above zero, got {symbol or 'nothing'}")
        if len(left) == 1 and INTERCEPT not in left:
            shown = next(iter(left)).text
            raise self.refused(
                f"{shown}^{symbol} is {shown} itself, for operators join terms; write I({shown}**{symbol}) for the"
                " number's power"
            )
        terms = left
        for _ in range(int(symbol[:4]) - 1):
            longer = self.joined("*", terms, left)
            if len(longer) == len(terms):
                break
            terms = longer
        return terms

    def joined(self, operator: str, left: Terms, right: Terms) -> Terms:
        """Two sets of terms joined by an operator."""
        if operator == "-":
            return self.without(left, right)
        terms = {} if operator == ":" else dict(left)
        if operator in ("+", "*"):
            terms |= right
        if operator == "/":
            left = {reduce(Term.times, left, INTERCEPT): None}
        if operator != "+":
            terms |= self.products(left, right)
        if len(terms) > MOST_TERMS:
            raise self.refused(f"it has more than {MOST_TERMS:,} terms")
        return terms

    def without(self, left: Terms, right: Terms) -> Terms:
        """The terms of the one that the other has not; all of the other but an intercept must be among them."""
        absent = [term.text for term in right if term not in left and term.factors]
        if absent:
            raise self.refused(f"{absent[0]!r} is subtracted but is not among the terms before it")
        return {term: None for term in left if term not in right}

    def products(self, left: Terms, right: Terms) -> Terms:
        """Every product of a term of the one and a term of the other."""
        if len(left) * len(right) > 4 * MOST_TERMS:
            raise self.refused(f"it has more than {MOST_TERMS:,} terms")
        terms = dict.fromkeys(one.times(other) for one, other in product(left, right))
        if any(len(term.factors) > MOST_FACTORS for term in terms):
            raise self.refused(f"an interaction has more than {MOST_FACTORS} factors")
        return terms
