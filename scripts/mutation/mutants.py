"""Mutants of the modules of a package, and a sample of them that a seed decides."""

import ast
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from scripts.mutation.operators import operators

_COMMENT = re.compile(r"(^|\s\s)#.*$")


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes:
        module: path from the root of the project.
        operator: name in `operators.operators()`.
        occurrence: which of the places where the operator applies, from 0.
        line: first line that changes.
        order: hash that decides the place in the sample.
    """

    module: str
    operator: str
    occurrence: int
    line: int
    order: str

    def code(self, source: str) -> str:
        """The changed module."""
        mutated = mutate_code(source, operators()[self.operator], self.occurrence)
        if mutated is None:
            raise ValueError(f"{self} does not apply to this source")
        return str(mutated)


def change(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, before and after, as `plain` text."""
    old, new = before.splitlines(), after.splitlines()
    blocks = [block for block in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if block[0] != "equal"]
    _, first, _, start, _ = blocks[0]
    _, _, last, _, end = blocks[-1]
    return plain(old[first:last]), plain(new[start:end])


def plain(lines: Iterable[str]) -> str:
    """Lines of code as one, with single spaces and without comments: independent of line numbers and layout."""
    return " ".join(" ".join(_COMMENT.sub("", line) for line in lines).split())


def mutants(root: Path, packages: Iterable[str], seed: int) -> list[Mutant]:
    """One mutant for each place of the packages that can be changed, in the order of the seed.

    Where several operators, or one operator in several ways, change the same place, the seed chooses. The order
    follows from the text of the line that changes, so that most of a sample stays when modules change.
    """
    chosen: dict[tuple[str, object], Mutant] = {}
    for package in packages:
        for file in sorted((root / package).rglob("*.py")):
            module = file.relative_to(root).as_posix()
            for place, mutant in _of_module(module, file.read_text(encoding="utf-8"), seed):
                if (module, place) not in chosen or mutant.order < chosen[module, place].order:
                    chosen[module, place] = mutant
    return sorted(chosen.values(), key=lambda mutant: mutant.order)


def _of_module(module: str, source: str, seed: int) -> Iterator[tuple[object, Mutant]]:
    lines, skipped = source.splitlines(), _skipped(source)
    occurrences: Counter[str] = Counter()
    repeated: defaultdict[tuple[str, str], int] = defaultdict(int)
    for node in ast_nodes(get_ast(source)):
        for name, operator in operators().items():
            for start, end in operator.mutation_positions(node):
                occurrence, occurrences[name] = occurrences[name], occurrences[name] + 1
                if any(first <= start and end <= last for first, last in skipped):
                    continue
                text = lines[start[0] - 1].strip()
                repeated[name, text] += 1
                key = f"{seed} {module} {name} {text} {repeated[name, text]}"
                yield (start, end), Mutant(module, name, occurrence, start[0], hashlib.sha256(key.encode()).hexdigest())


def _skipped(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Ranges whose changes no test can notice or every import does: annotations, decorators, `if TYPE_CHECKING`."""
    found: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.arg() | ast.AnnAssign():
                found.append(node.annotation)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found += [node.returns, *node.decorator_list]
            case ast.ClassDef():
                found += node.decorator_list
            case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Subscript(value=ast.Name(id="Callable")):
                found.append(node)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))  # type: ignore[attr-defined]
        for node in found
        if node is not None
    ]
