"""Mutation operators: those of cosmic-ray that make plausible mistakes, and three for mistakes that it lacks."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import parso
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.python.tree import PythonNode

Position = tuple[tuple[int, int], tuple[int, int]]

_ARITHMETIC = ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Div", "Mod_Mul", "Pow_Mul")
_BITWISE = ("BitAnd_BitOr", "BitOr_BitAnd", "BitXor_BitOr", "LShift_RShift", "RShift_LShift")
_ORDER = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
_CORE = (
    *(f"ReplaceBinaryOperator_{pair}" for pair in (*_ARITHMETIC, *_BITWISE)),
    *(f"ReplaceComparisonOperator_{one}_{other}" for one in _ORDER for other in _ORDER if one != other),
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_Invert",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "ZeroIterationForLoop",
)


class SwapNeighbours(Operator):
    """Swap two neighbouring items of a tuple or list."""

    def mutation_positions(self, node: Any) -> list[Position]:
        """One position for each pair of neighbours that differ."""
        return [(node.children[left].start_pos, node.children[right].end_pos) for left, right in self._pairs(node)]

    def mutate(self, node: Any, index: int) -> Any:
        """Swap the pair with number `index`."""
        left, right = self._pairs(node)[index]
        children = node.children
        children[left], children[right] = children[right], children[left]
        return node

    @staticmethod
    def _pairs(node: Any) -> list[tuple[int, int]]:
        if node.type != "testlist_comp" or node.children[1].type != "operator":
            return []
        pairs = pairwise(range(0, len(node.children), 2))
        return [(a, b) for a, b in pairs if _code(node.children[a]) != _code(node.children[b])]

    @classmethod
    def examples(cls) -> Iterable[Example]:
        """What it does."""
        return (Example("x = (1, 2, 3)", "x = ( 2,1, 3)"), Example("x = (1, 2, 3)", "x = (1, 3, 2)", occurrence=1))


class RemoveKeyword(Operator):
    """Remove a keyword argument from a call, so that its default holds."""

    def mutation_positions(self, node: Any) -> list[Position]:
        """One position for each keyword argument."""
        return [(node.children[place].start_pos, node.children[place].end_pos) for place in self._keywords(node)]

    def mutate(self, node: Any, index: int) -> Any:
        """Remove the keyword argument with number `index`, and the comma after it."""
        place = self._keywords(node)[index]
        after = place + 1
        comma = after < len(node.children) and _code(node.children[after]) == ","
        del node.children[place : after + comma]
        return node

    @staticmethod
    def _keywords(node: Any) -> list[int]:
        in_call = node.type == "arglist" or (node.type == "trailer" and _code(node.children[0]) == "(")
        if not in_call:
            return []
        places = [place for place, child in enumerate(node.children) if child.type == "argument"]
        return [place for place in places if _code(node.children[place].children[1]) == "="]

    @classmethod
    def examples(cls) -> Iterable[Example]:
        """What it does."""
        return (Example("f(x, a=1, b=2)", "f(x, b=2)"), Example("f(a=1)", "f()"))


class RemoveStatement(Operator):
    """Replace a call whose result is not used, or an augmented assignment, by `pass`."""

    def mutation_positions(self, node: Any) -> list[Position]:
        """The position of the statement."""
        removable = node.type == "simple_stmt" and self._removable(node.children[0])
        return [(node.children[0].start_pos, node.children[0].end_pos)] if removable else []

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002 - the interface
        """Replace the statement."""
        prefix = node.get_first_leaf().prefix
        node.children[0] = parso.parse(f"{prefix}pass")
        return node

    @staticmethod
    def _removable(statement: PythonNode) -> bool:
        if statement.type == "expr_stmt":
            operator = _code(statement.children[1])
            return operator.endswith("=") and operator != "="
        return statement.type in {"atom_expr", "power"} and _code(statement.children[-1]).startswith("(")

    @classmethod
    def examples(cls) -> Iterable[Example]:
        """What it does."""
        return (Example("f(x)\n", "pass\n"), Example("x += 1\n", "pass\n"))


def operators() -> dict[str, Operator]:
    """The operators by name."""
    core = OperatorProvider()
    own = (SwapNeighbours, RemoveKeyword, RemoveStatement)
    return {name: core[name]() for name in _CORE} | {operator.__name__: operator() for operator in own}


def _code(node: Any) -> str:
    return str(node.get_code(include_prefix=False))
