"""The right-hand side of a model's formula as data: grammar, values, design matrix; conditions on rows."""

from analysis.survival.formulas.calls import quoted
from analysis.survival.formulas.grammar import Term, columns_of, parse_formula, parse_terms
from analysis.survival.formulas.matrix import coded_against, matrix_of, term_columns
from analysis.survival.formulas.values import Category, Values, column_values, rows_that_meet
