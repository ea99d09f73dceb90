"""The parts of a formula as data, and the functions and operators that it may use, with the options of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.cohort.columns import first_few
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


MOST_DF, MOST_DEGREE, MOST_LISTED = 50, 10, 100

OPERATORS = {
    "Add": "add", "Sub": "subtract", "Mult": "multiply", "Div": "divide", "FloorDiv": "floor_divide", "Mod": "mod",
    "Pow": "power", "USub": "negative", "UAdd": "positive", "Not": "logical_not", "And": "logical_and",
    "Or": "logical_or", "Lt": "less", "LtE": "less_equal", "Gt": "greater", "GtE": "greater_equal", "Eq": "equal",
    "NotEq": "not_equal",
}  # fmt: skip
"""Operators by the name of Python's grammar, and numpy's function for each."""
_PLAIN = ("log", "log2", "log10", "exp", "sqrt", "abs")
_OF_ONE = (
    *_PLAIN, "log1p", "expm1", "exp2", "cbrt", "absolute", "fabs", "square", "reciprocal", "sign", "floor", "ceil",
    "rint", "trunc", "sin", "cos", "tan", "arctan", "arcsinh", "sinh", "cosh", "tanh",
)  # fmt: skip
_OF_TWO = ("maximum", "minimum", "power", "hypot", "fmax", "fmin")
_OF_THREE = ("where", "clip")
CODINGS = {
    "contr.treatment": "TreatmentContrasts", "Treatment": "TreatmentContrasts", "contr.sum": "SumContrasts",
    "Sum": "SumContrasts", "contr.helmert": "HelmertContrasts", "Helmert": "HelmertContrasts",
    "contr.diff": "DiffContrasts", "Diff": "DiffContrasts", "contr.poly": "PolyContrasts", "Poly": "PolyContrasts",
}  # fmt: skip
"""Codings of categories by the name that a formula calls them, and formulaic's class for each."""
WITH_BASE = ("TreatmentContrasts",)
_SPLINE = "write cr(x, df=3)"
_HINTS = {
    **dict.fromkeys(("factor", "as.factor", "ordered"), "write C(x)"),
    **dict.fromkeys(("ns", "s", "pspline"), _SPLINE),
    "rcs": f"{_SPLINE}, or use dose_response",
    "relevel": "write C(x, Treatment('b'))",
    "ifelse": "write np.where(x > 5, 1, 0)",
    "cut": "make a column of groups with stratify",
    "strata": "name the column in strata=",
    "cluster": "name the column in cluster=",
    "frailty": "frailties are not offered; cluster= gives robust errors",
    "offset": "offsets are not offered",
    "Surv": "the endpoint is an argument of its own",
    "Q": "write the name in backticks",
    "c": "write a list, as ['a', 'b']",
    "pmin": "write np.minimum(x, y)",
    "pmax": "write np.maximum(x, y)",
    "standardize": "write scale(x)",
}
"""What R, patsy and lifelines call by names that are not on the list, and what to write instead."""

Check = Callable[[object], object]


@dataclass(frozen=True)
class Function:
    """How many values a function takes first, and its options in their order, each with what reads its value."""

    n_arguments: int = 1
    options: Mapping[str, Check] = field(default_factory=dict)
    numpy: str = ""


def _whole(lowest: int, highest: int) -> Check:
    """Reads a whole number within bounds."""

    def value(given: object) -> int:
        """The number, or an error."""
        if isinstance(given, Number) and given.value.is_integer() and lowest <= given.value <= highest:
            return int(given.value)
        raise ValueError(f"a whole number from {lowest} to {highest}")

    return value


def _number(given: object) -> float:
    """A number written out."""
    if not isinstance(given, Number):
        raise ValueError("a number")
    return given.value


def _numbers(given: object) -> tuple[float, ...]:
    """A list of numbers."""
    if isinstance(given, Listed) and 0 < len(given.items) <= MOST_LISTED:
        numbers = tuple(item.value for item in given.items if isinstance(item, Number))
        if len(numbers) == len(given.items):
            return numbers
    raise ValueError(f"a list of at most {MOST_LISTED} numbers, as [50, 60]")


def _levels(given: object) -> tuple[str | float, ...]:
    """A list of levels, as text or numbers."""
    if not isinstance(given, Listed) or not given.items:
        raise ValueError("a list of levels, as ['a', 'b']")
    return tuple(item.value for item in given.items)


def _coding(given: object) -> Coding:
    """A coding by its name, with the level to compare with or without."""
    if isinstance(given, Column) and given.name in CODINGS:
        return Coding(str(given.name))
    if isinstance(given, Coding):
        return given
    raise ValueError(f"one of {first_few(CODINGS, 12)}, as contr.treatment('b')")


def _center(given: object) -> str:
    """The one constraint of a natural spline that a model with a baseline can carry."""
    if given != Text("center"):
        raise ValueError("'center'")
    return "center"


_KNOTS: dict[str, Check] = {"knots": _numbers}
_BOUNDS: dict[str, Check] = {"lower_bound": _number, "upper_bound": _number}
_NATURAL = Function(options={"df": _whole(1, MOST_DF), **_KNOTS, **_BOUNDS, "constraints": _center})
FUNCTIONS: dict[str, Function] = {
    **{name: Function(numpy=name) for name in _PLAIN},
    **{f"np.{name}": Function(numpy=name) for name in _OF_ONE},
    **{f"np.{name}": Function(2, numpy=name) for name in _OF_TWO},
    **{f"np.{name}": Function(3, numpy=name) for name in _OF_THREE},
    "I": Function(),
    "C": Function(options={"contrasts": _coding, "levels": _levels}),
    "center": Function(),
    "scale": Function(),
    "poly": Function(options={"degree": _whole(1, MOST_DEGREE)}),
    "bs": Function(options={"df": _whole(1, MOST_DF), **_KNOTS, "degree": _whole(0, MOST_DEGREE), **_BOUNDS}),
    "cr": _NATURAL,
    "cs": _NATURAL,
    "cc": _NATURAL,
}


def hint(name: str) -> str:
    """What to write instead of a function that is not on the list, if that is known.

    Examples
    --------
    >>> hint("factor"), hint("log1p"), hint("hashed")
    ('; write C(x)', '; write np.log1p(x)', '')
    """
    known = _HINTS.get(name) or (f"write np.{name}(x)" if f"np.{name}" in FUNCTIONS else "")
    return f"; {known}" if known else ""


def option_values(
    name: str, given: Sequence[object], named: Sequence[tuple[str, object]]
) -> tuple[tuple[str, object], ...]:
    """The options of a call as values, in alphabetical order.

    Parameters
    ----------
    name : str
        One of `FUNCTIONS`.
    given : sequence
        Expressions given by position.
    named : sequence of (str, expression)
        Expressions given by name.

    Returns
    -------
    tuple of (str, value)

    Raises
    ------
    ValueError
        An option that is not there, or given twice, or whose value has a wrong type or is out of bounds.

    Examples
    --------
    >>> option_values("bs", [Number(3.0)], [("degree", Number(2.0))])
    (('degree', 2), ('df', 3))
    """
    options = FUNCTIONS[name].options
    if len(given) > len(options):
        raise ValueError(f"{name} takes {_count(FUNCTIONS[name].n_arguments, options)}")
    pairs = [*zip(options, given, strict=False), *named]
    values: dict[str, object] = {}
    for option, expression in pairs:
        if option not in options:
            raise ValueError(
                f"{name} has no option {option!r}; it takes {_count(FUNCTIONS[name].n_arguments, options)}"
            )
        if option in values:
            raise ValueError(f"{name} is given {option!r} twice")
        try:
            values[option] = options[option](expression)
        except ValueError as error:
            raise ValueError(f"{option} of {name} must be {error}") from None
    return tuple(sorted(values.items()))


def _count(n_arguments: int, options: Mapping[str, Check]) -> str:
    """What a function takes, in words."""
    values = "1 value" if n_arguments == 1 else f"{n_arguments} values"
    return f"{values} and the options {first_few(options, 12)}" if options else f"{values} and no option"
