"""A call in a formula, such as "log2(crp + 1)", read as data; nothing of it is evaluated."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from analysis.errors import InputError
from analysis.survival.formulas.expressions import Call, Coding, Column, Factor, Listed, Number, Text, refused
from analysis.survival.formulas.functions import CODINGS, FUNCTIONS, OPERATORS, WITH_BASE, option_values

MOST_CHARACTERS, MOST_NESTED = 1_000, 25
_TOKEN = re.compile(
    r"(?P<blank>\s+)|(?P<quoted>`(?:[^`]|``)+`)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<name>[^\W\d](?:\.?\w)*)|(?P<text>'[^'\\\n]*'|\"[^\"\\\n]*\")|(?P<sign>\*\*|//|[<>=!]=|[-+*/%<>=&|~(),[\]])",
)
_LOGIC = {"&": " and ", "|": " or ", "~": " not ", "and": " and ", "or": " or ", "not": " not ", "in": " in "}
"""Signs and words that bind less than comparisons, as in R, and Python's words for them."""
_Expression = Column | Number | Text | Listed | Coding | Call


def unquoted(name: str) -> str:
    """A name without its backticks, in which two in a row stand for one.

    Examples
    --------
    >>> unquoted("`Mg (mmol/L)`"), unquoted("age")
    ('Mg (mmol/L)', 'age')
    """
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def quoted(name: object) -> str:
    """A column's name as a formula holds it, whatever signs it has.

    Examples
    --------
    >>> quoted("Mg (mmol/L)"), unquoted(quoted("a`b"))
    ('`Mg (mmol/L)`', 'a`b')
    """
    return "`" + str(name).replace("`", "``") + "`"


def read_call(term: str) -> Factor:
    """A factor that is a call as data.

    Python's grammar reads the signs; names, numbers and text are replaced before, so that it never sees them.

    Parameters
    ----------
    term : str

    Returns
    -------
    Factor

    Raises
    ------
    InputError
        Anything but columns, numbers, arithmetic, comparisons, and functions of the list with options of theirs.

    Examples
    --------
    >>> read_call("log2(crp+1)").text, read_call("bs(age, df=3)").columns
    ('log2(crp + 1)', ('age',))
    """
    return _read(term, "term")


def read_condition(text: str) -> Factor:
    """A condition on rows as data, by the same grammar.

    Examples
    --------
    >>> read_condition("ecog == 2 and sex in ['f', 'm']").columns
    ('ecog', 'sex')
    """
    return _read(text, "condition")


def _read(term: str, what: str) -> Factor:
    """An expression as data."""
    if len(term) > MOST_CHARACTERS:
        raise refused("term", term, f"it has {len(term):,} characters, of at most {MOST_CHARACTERS:,}")
    masked, tokens = _masked(term)
    try:
        tree = ast.parse(masked, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise refused("term", term, "its signs stand in an order that means nothing") from None
    _refuse_deep(tree, term)
    expression = _Reader(term, tokens).read(tree)
    signs = ast.unparse(tree).replace(" and ", " & ").replace(" or ", " | ").replace("not ", "~")
    text = re.sub(r"\bq\d+\b", lambda found: tokens[found[0]].shown, signs)
    if not isinstance(expression, (Call, Column)) or not Factor(expression, text).columns:
        raise refused(what, term, "it names no column")
    return Factor(expression, text)


@dataclass(frozen=True)
class _Token:
    """A name, number or text of a term."""

    what: str
    held: str

    @property
    def shown(self) -> str:
        """As it is shown in the names of terms: without backticks."""
        return repr(self.held[1:-1]) if self.what == "text" else unquoted(self.held)


def _masked(term: str) -> tuple[str, dict[str, _Token]]:
    """The term with a plain name in place of every name, number and text, and what each of them stands for."""
    tokens: dict[str, _Token] = {}
    parts, at = [], 0
    while at < len(term):
        found = _TOKEN.match(term, at)
        if found is None:
            raise refused("term", term, f"{term[at]!r} cannot stand in it")
        at, what = found.end(), str(found.lastgroup)
        if found[0] in _LOGIC:
            parts.append(_LOGIC[found[0]])
        elif what in ("blank", "sign"):
            parts.append(" " if what == "blank" else found[0])
        else:
            mask = f"q{len(tokens)}"
            tokens[mask] = _Token(what, found[0])
            parts.append(f" {mask} ")
    return "".join(parts).strip(), tokens


def _refuse_deep(tree: ast.expr, term: str) -> None:
    """An error on a term whose parts stand within parts too often."""
    level: list[ast.AST] = [tree]
    for _ in range(MOST_NESTED):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise refused("term", term, f"its parts stand within one another more than {MOST_NESTED} times")


@dataclass(frozen=True)
class _Reader:
    """Reads the tree of one term; every node that is not named here is refused."""

    term: str
    tokens: dict[str, _Token]

    def refused(self, why: str) -> InputError:
        """An error on this term."""
        return refused("term", self.term, why)

    def read(self, node: ast.AST) -> _Expression:
        """One node of the tree as an expression."""
        match node:
            case ast.Name(id=mask):
                return self._one(self.tokens[mask])
            case ast.UnaryOp(op=operator, operand=operand):
                return self._signed(type(operator).__name__, self.read(operand))
            case ast.BoolOp(op=operator, values=values):
                return self._logic(type(operator).__name__, values)
            case ast.BinOp(left=left, op=operator, right=right):
                return self._operation(type(operator).__name__, left, right)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._operation(type(operator).__name__, left, right)
            case ast.Compare():
                raise self.refused("it compares more than two values at once; join two comparisons with &")
            case ast.Call(func=ast.Name(id=mask)) if self.tokens[mask].what == "name":
                return self._call(self.tokens[mask].held, node)
            case ast.List(elts=items):
                return self._listed([self.read(item) for item in items])
        raise self.refused("only functions of the list, signs of arithmetic and comparisons can stand in it")

    def _one(self, token: _Token) -> Column | Number | Text:
        """A column, a number or text."""
        if token.what == "number":
            return Number(float(token.held))
        return Text(token.held[1:-1]) if token.what == "text" else Column(unquoted(token.held))

    def _value(self, expression: _Expression) -> Column | Number | Call:
        """An expression that has a value in each row, or the same one in all."""
        if isinstance(expression, (Column, Number, Call)):
            return expression
        raise self.refused("text and lists can stand only in options and comparisons that take them")

    def _signed(self, operator: str, operand: _Expression) -> Number | Call:
        """A sign before an expression; before a number, the number."""
        if isinstance(operand, Number) and operator == "USub":
            return Number(-operand.value)
        if operator not in OPERATORS:
            raise self.refused(f"{operator.lower()!r} cannot stand in it")
        return Call(operator, (self._value(operand),))

    def _operation(self, operator: str, left: ast.expr, right: ast.expr) -> Call:
        """Arithmetic, a comparison, or "and" and "or" of two expressions; a column may be compared with text."""
        if operator not in (*OPERATORS, "In", "NotIn"):
            raise self.refused(f"{operator.lower()!r} cannot stand in it")
        sides = self.read(left), self.read(right)
        if operator in ("In", "NotIn"):
            return self._one_of(sides[0], sides[1], among=operator == "In")
        if operator in ("Eq", "NotEq") and isinstance(sides[0], Column) and isinstance(sides[1], Text):
            return Call(operator, (sides[0], sides[1]))
        return Call(operator, tuple(self._value(side) for side in sides))

    def _one_of(self, column: _Expression, listed: _Expression, *, among: bool) -> Call:
        """Whether a column holds one of the values of a list."""
        if not isinstance(column, Column) or not isinstance(listed, Listed) or not listed.items:
            raise self.refused("'in' stands between a column and a list, as site in ['a', 'b']")
        joined = Call("Eq", (column, listed.items[0]))
        for item in listed.items[1:MOST_NESTED]:
            joined = Call("Or", (joined, Call("Eq", (column, item))))
        if len(listed.items) > MOST_NESTED:
            raise self.refused(f"a list to compare with holds at most {MOST_NESTED} values")
        return joined if among else Call("Not", (joined,))

    def _logic(self, operator: str, nodes: list[ast.expr]) -> Call:
        """Conditions joined by "and" or by "or"."""
        first, second, *rest = [self._value(self.read(node)) for node in nodes]
        joined = Call(operator, (first, second))
        for one in rest:
            joined = Call(operator, (joined, one))
        return joined

    def _listed(self, items: list[_Expression]) -> Listed:
        """A list of numbers and text."""
        plain = tuple(item for item in items if isinstance(item, (Number, Text)))
        if len(plain) < len(items):
            raise self.refused("a list holds numbers and text only")
        return Listed(plain)

    def _call(self, name: str, node: ast.Call) -> Call | Coding:
        """A call of a function of the list, its options checked."""
        given = [self.read(argument) for argument in node.args]
        named = [(self._name_of(keyword), self.read(keyword.value)) for keyword in node.keywords]
        if name in CODINGS:
            return self._coding(
                name, [*given, *(one for option, one in named if option in ("base", "reference"))], node
            )
        if name not in FUNCTIONS:
            raise self.refused(f"no function {name!r}")
        n_values = FUNCTIONS[name].n_arguments
        if len(given) < n_values:
            raise self.refused(f"{name} takes {n_values} value{'s' * (n_values > 1)} before its options")
        try:
            options = option_values(name, given[n_values:], named)
        except ValueError as error:
            raise self.refused(str(error)) from None
        return Call(name, tuple(self._value(one) for one in given[:n_values]), options)

    def _name_of(self, keyword: ast.keyword) -> str:
        """The name of an option."""
        if keyword.arg is None or self.tokens[keyword.arg].what != "name":
            raise self.refused("an option has a name, as df=3")
        return self.tokens[keyword.arg].held

    def _coding(self, name: str, given: list[_Expression], node: ast.Call) -> Coding:
        """A coding of categories, with the level to compare with or without."""
        base = given[0] if given else None
        n_given = len(node.args) + len(node.keywords)
        if n_given != len(given) or n_given > (CODINGS[name] in WITH_BASE):
            raise self.refused(
                f"{name} takes {'one level' if CODINGS[name] in WITH_BASE else 'nothing'} in its brackets"
            )
        if base is not None and not isinstance(base, (Number, Text)):
            raise self.refused(f"{name} takes a level as text or a number")
        return Coding(name, base)
