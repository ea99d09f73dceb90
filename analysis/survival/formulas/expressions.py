"""The parts of a formula, as data: columns, numbers, text, and calls of functions that are listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from analysis.errors import InputError

HOW_TO_WRITE = (
    "write terms as 'age + sex', interactions as 'age:sex' or 'age * sex', names with blanks or signs in backticks:"
    " '`Mg (mmol/L)` + age', arithmetic and comparisons as 'I(age / 10)'; the functions are log, log2, log10, exp,"
    " sqrt, abs, center, scale, poly, bs, cr, C, I and numpy's of single values, as np.log1p; a category's reference"
    " level is given as \"C(stage, Treatment('II'))\""
)
HOW_TO_COMPARE = (
    "compare with ==, !=, <, <=, >, >= and in, join with & and |, negate with ~, as \"ecog == 2 | site in ['a', 'b']\";"
    " write text in quotes, names with blanks or signs in backticks"
)
MOST_NESTED = 25


@dataclass(frozen=True)
class Column:
    """A column by its name."""

    name: str


@dataclass(frozen=True)
class Number:
    """A number written out."""

    value: float


@dataclass(frozen=True)
class Text:
    """Text written out: a level of a category, a choice of an option."""

    value: str


@dataclass(frozen=True)
class Listed:
    """Numbers and text in square brackets, for an option."""

    items: tuple[Number | Text, ...]


@dataclass(frozen=True)
class Coding:
    """How the levels of a category become columns, and the level that they are compared with."""

    name: str
    base: Number | Text | None = None


@dataclass(frozen=True)
class Call:
    """A function or an operator of the list, what it is applied to, and its options as values."""

    function: str
    arguments: tuple[Expression, ...]
    options: tuple[tuple[str, object], ...] = ()


Expression = Column | Number | Text | Call


@dataclass(frozen=True)
class Factor:
    """A factor of a term; two are equal when their expressions are, however they are written."""

    expression: Expression
    text: str = field(compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from, each once, in the order of its text."""
        return tuple(dict.fromkeys(_columns(self.expression)))


def _columns(expression: object) -> Iterator[str]:
    """Every column that an expression names."""
    if isinstance(expression, Column):
        yield expression.name
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from _columns(argument)


def column_factor(name: str) -> Factor:
    """A column of whatever name as a factor."""
    return Factor(Column(name), str(name))


def refused(what: str, text: str, why: str) -> InputError:
    """An error that shows a term or formula, what is wrong with it and how it is written.

    Examples
    --------
    >>> str(refused("term", "log(age", "a bracket is not closed")).split(";")[0]
    "covariates: cannot read the term 'log(age': a bracket is not closed"
    """
    shown = text if len(text) <= 120 else f"{text[:117]}..."
    if what == "condition":
        return InputError(f"cannot read the condition {shown!r}: {why}; {HOW_TO_COMPARE}")
    return InputError(f"covariates: cannot read the {what} {shown!r}: {why}; {HOW_TO_WRITE}")


def check_length(what: str, text: str, most: int) -> None:
    """An error on a text that is too long to be read."""
    if len(text) > most:
        raise refused(what, text, f"it has {len(text):,} characters, of at most {most:,}")
