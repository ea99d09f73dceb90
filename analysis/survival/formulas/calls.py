"""A call in a formula, such as "log2(crp + 1)", read as data; nothing of it is evaluated."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from analysis.errors import InputError
from analysis.survival.formulas import expressions
from analysis.survival.formulas.expressions import Call, Coding, Column, Factor, Listed, Number, Text

MOST_CHARACTERS = 1_000
_TOKEN = re.compile(
    r"(?P<blank>\s+)|(?P<quoted>`(?:[^`]|``)+`)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<name>[^\W\d][\w.]*)|(?P<text>'[^'\\\n]*'|\"[^\"\\\n]*\")"
    r"|(?P<sign>%in%|&&|\|\||<>|\*\*|//|[<>=!]=|[-+*/%^<>=!&|~(),[\]])",
)
_PYTHON = {
    "&": " and ", "|": " or ", "~": " not ", "and": " and ", "or": " or ", "not": " not ", "in": " in ", "^": "**",
}  # fmt: skip
"""Signs and words as Python has them: those of logic bind less than comparisons, as in R."""
_INSTEAD = {"&&": "&", "||": "|", "!": "~", "<>": "!=", "%in%": "in, as site in ['a', 'b']"}
_TRUTH = {"True": 1.0, "TRUE": 1.0, "False": 0.0, "FALSE": 0.0}
_Read = Column | Number | Text | Listed | Coding | Call


def unquoted(name: str) -> str:
    """A name without its backticks, in which two in a row are one.

    Examples
    --------
    >>> unquoted("`Mg (mmol/L)`"), unquoted("age")
    ('Mg (mmol/L)', 'age')
    """
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def quoted(name: object) -> str:
    """A column's name in backticks, as a formula takes any name.

    Examples
    --------
    >>> quoted("Mg (mmol/L)"), unquoted(quoted("a`b"))
    ('`Mg (mmol/L)`', 'a`b')
    """
    return "`" + str(name).replace("`", "``") + "`"


def read_call(term: str, columns: Collection[object] = ()) -> Factor:
    """A factor that is a call as data.

    Python's grammar reads the operators; names, numbers and text are replaced before, so that it never sees them.

    Parameters
    ----------
    term : str
    columns : collection, optional
        The columns that there are: True and False without backticks are 1 and 0 unless a column has that name.

    Returns
    -------
    Factor

    Raises
    ------
    InputError
        Anything but columns, numbers, arithmetic, comparisons, and functions of the list with their options.

    Examples
    --------
    >>> read_call("log2(crp+1)").text, read_call("bs(age, df=3)").columns
    ('log2(crp + 1)', ('age',))
    """
    return _Reader("term", term, columns).factor()


def read_condition(text: str, columns: Collection[object] = ()) -> Factor:
    """A condition on rows as data, by the same grammar.

    Examples
    --------
    >>> read_condition("ecog == 2 and sex in ['f', 'm']").columns
    ('ecog', 'sex')
    """
    return _Reader("condition", text, columns).factor()


@dataclass(frozen=True)
class _Token:
    """A name, number or text of a term."""

    what: str
    text: str

    @property
    def shown(self) -> str:
        """As it is shown in the names of terms: without backticks."""
        return repr(self.text[1:-1]) if self.what == "text" else unquoted(self.text)


@dataclass(frozen=True)
class _Reader:
    """Reads one term or condition; every node of its tree that is not named here is refused."""

    what: str
    text: str
    columns: Collection[object]
    tokens: dict[str, _Token] = field(default_factory=dict)

    def refused(self, why: str) -> InputError:
        """An error on this term."""
        return expressions.refused(self.what, self.text, why)

    def factor(self) -> Factor:
        """The term as data, with its name."""
        expressions.check_length(self.what, self.text, MOST_CHARACTERS)
        tree = self._tree(self._masked())
        expression = self.read(tree)
        signs = re.sub(r"\bnot (?!in\b)", "~", ast.unparse(tree).replace(" and ", " & ").replace(" or ", " | "))
        text = re.sub(r"\bq\d+\b", lambda mask: self.tokens[mask[0]].shown, signs)
        if not isinstance(expression, (Call, Column)) or not Factor(expression, text).columns:
            raise self.refused("it names no column")
        return Factor(expression, text)

    def _masked(self) -> str:
        """The term with a plain name in place of every name, number and text; `tokens` holds what each stands for."""
        parts, at = [], 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                raise self.refused(f"{self.text[at]!r} is not allowed in it")
            at, token = match.end(), match[0]
            if token in _INSTEAD:
                raise self.refused(f"{token!r} is not allowed in it; write {_INSTEAD[token]}")
            if token in _PYTHON or match.lastgroup in ("blank", "sign"):
                parts.append(_PYTHON.get(token, token) if token.strip() else " ")
            else:
                parts.append(f" q{len(self.tokens)} ")
                self.tokens[f"q{len(self.tokens)}"] = _Token(str(match.lastgroup), token)
        return "".join(parts).strip()

    def _tree(self, masked: str) -> ast.expr:
        """The tree of the signs, of bounded depth."""
        try:
            tree = ast.parse(masked, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            single = self.what == "condition" and re.search(r"(?<![<>=!])=(?!=)", masked)
            raise self.refused("it is not a valid expression" + "; write == for =" * bool(single)) from None
        level: list[ast.AST] = [tree]
        for _ in range(expressions.MOST_NESTED):
            level = [child for node in level for child in ast.iter_child_nodes(node)]
        if level:
            raise self.refused(f"its parts are nested more than {expressions.MOST_NESTED} deep")
        return tree

    def read(self, node: ast.AST) -> _Read:
        """One node of the tree as an expression."""
        match node:
            case ast.Name(id=mask):
                return self._one(self.tokens[mask])
            case ast.UnaryOp(op=operator, operand=operand):
                return self._signed(type(operator).__name__, self.read(operand))
            case ast.BoolOp(op=operator, values=values):
                return Call(type(operator).__name__, tuple(self._value(self.read(value)) for value in values))
            case ast.BinOp(left=left, op=operator, right=right):
                return self._operation(type(operator).__name__, self.read(left), self.read(right))
            case ast.Compare(left=left, ops=operators, comparators=others):
                sides = [self.read(side) for side in (left, *others)]
                names = [type(operator).__name__ for operator in operators]
                return _joined("And", [self._operation(*one) for one in zip(names, sides, sides[1:], strict=False)])
            case ast.Call(func=ast.Name(id=mask)) if self.tokens[mask].what == "name":
                return self._call(self.tokens[mask].text, node)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return self._listed([self.read(item) for item in items])
        raise self.refused("only the functions listed, arithmetic and comparisons are allowed in it")

    def _one(self, token: _Token) -> Column | Number | Text:
        """A column, a number or text."""
        if token.what == "number":
            return Number(float(token.text))
        if token.text in _TRUTH and token.text not in map(str, self.columns):
            return Number(_TRUTH[token.text])
        return Text(token.text[1:-1]) if token.what == "text" else Column(unquoted(token.text))

    def _value(self, expression: _Read) -> Column | Number | Call:
        """An expression that has a value in each row, or the same one in all."""
        if isinstance(expression, (Column, Number, Call)):
            return expression
        raise self.refused("text and lists are allowed only in options and comparisons that take them")

    def _signed(self, operator: str, operand: _Read) -> Number | Call:
        """A sign before an expression; before a number, the number."""
        if isinstance(operand, Number) and operator == "USub":
            return Number(-operand.value)
        if operator not in expressions.OPERATORS:
            raise self.refused(f"{operator.lower()!r} is not allowed in it")
        return Call(operator, (self._value(operand),))

    def _operation(self, operator: str, left: _Read, right: _Read) -> Call:
        """Arithmetic or a comparison of two expressions; a column may be compared with text."""
        if operator in ("In", "NotIn"):
            return self._one_of(left, right, among=operator == "In")
        if operator not in expressions.OPERATORS:
            raise self.refused(f"{operator.lower()!r} is not allowed in it")
        if operator in ("Eq", "NotEq"):
            match left, right:
                case (Column() as column, Text() as text) | (Text() as text, Column() as column):
                    return Call(operator, (column, text))
        return Call(operator, (self._value(left), self._value(right)))

    def _one_of(self, column: _Read, listed: _Read, *, among: bool) -> Call:
        """Whether a column is one of the values of a list."""
        if not isinstance(column, Column) or not isinstance(listed, Listed) or not listed.items:
            raise self.refused("'in' takes a column and a list, as site in ['a', 'b']")
        joined = _joined("Or", [Call("Eq", (column, item)) for item in listed.items])
        return joined if among else Call("Not", (joined,))

    def _listed(self, items: list[_Read]) -> Listed:
        """A list of numbers and text."""
        plain = tuple(item for item in items if isinstance(item, (Number, Text)))
        if len(plain) < len(items):
            raise self.refused("a list has numbers and text only")
        return Listed(plain)

    def _call(self, name: str, node: ast.Call) -> Call | Coding:
        """A call of a function of the list, its options checked."""
        if name not in expressions.FUNCTIONS and name not in expressions.CODINGS:
            raise self.refused(f"no function {name!r}{expressions.hint(name)}")
        given = [self.read(argument) for argument in node.args]
        named = [(self._name_of(keyword), self.read(keyword.value)) for keyword in node.keywords]
        if name in expressions.CODINGS:
            return self._coding(name, given, named)
        n_values = expressions.FUNCTIONS[name].n_arguments
        if len(given) < n_values:
            values = f"{name} takes {n_values} value{'s' * (n_values > 1)} before its options"
            raise self.refused(values + "; write == for =" * bool(named))
        try:
            options = expressions.option_values(name, given[n_values:], named)
        except ValueError as error:
            raise self.refused(str(error)) from None
        return Call(name, tuple(self._value(one) for one in given[:n_values]), options)

    def _name_of(self, keyword: ast.keyword) -> str:
        """The name of an option."""
        if keyword.arg is None or self.tokens[keyword.arg].what != "name":
            raise self.refused("an option has a name, as df=3")
        return self.tokens[keyword.arg].text

    def _coding(self, name: str, given: list[_Read], named: list[tuple[str, _Read]]) -> Coding:
        """A coding of categories, with the level to compare with or without."""
        takes_base = expressions.CODINGS[name] in expressions.WITH_BASE
        levels = given + [level for option, level in named if option in ("base", "reference")]
        if len(levels) < len(given) + len(named) or len(levels) > takes_base:
            raise self.refused(f"{name} takes {'one level' if takes_base else 'no argument'}")
        base = levels[0] if levels else None
        if base is not None and not isinstance(base, (Number, Text)):
            raise self.refused(f"{name} takes a level as text or a number")
        return Coding(name, base)


def _joined(operator: str, parts: list[Call]) -> Call:
    """Conditions joined by "and" or by "or"; one alone as it is."""
    return parts[0] if len(parts) == 1 else Call(operator, tuple(parts))
