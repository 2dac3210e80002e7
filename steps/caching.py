"""Correct caching: a step runs again when the meaning of the code it depends on has changed, and only then.

ZenML's own cache looks at the text of the step function. Here the key holds a digest of the syntax trees of the step's
module and of every project module it reaches, directly or through others, by any import statement, those inside
functions included. Comments, docstrings and layout are not meaning. Data files that lie in a package, or in a folder of
it that is no package itself, belong to every module of that package.
"""

import ast
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zenml.config.cache_policy import CachePolicy

ROOT = Path(__file__).resolve().parents[1]
_FOLLOWED = ("accidents", "materializers", "steps", "tracking")
_SEPARATOR = "__and__"


def cache_policy(*modules: str) -> CachePolicy:
    """Cache policy of a step that depends on `modules` (dotted names, the step's own first).

    ZenML asks for the name of a function without arguments, so the modules are written into that name, and
    `__getattr__` of this module reads them from it again.
    """
    name = _SEPARATOR.join(module.replace(".", "__dot__") for module in modules)
    return CachePolicy(include_step_code=False, cache_func=f"{__name__}.{name}")


def __getattr__(name: str) -> Callable[[], str]:
    """A function that gives the digest of the modules written in its name."""
    modules = [module.replace("__dot__", ".") for module in name.split(_SEPARATOR)]
    if not all(_file(module) for module in modules):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return lambda: code_digest(*modules)


def code_digest(*modules: str) -> str:
    """SHA-256 over the meaning of `modules` and of all project modules they reach."""
    digest = hashlib.sha256()
    for module in sorted(reached(*modules)):
        digest.update(f"{module}\n{_meaning(module)}\n".encode())
    return digest.hexdigest()


def reached(*modules: str) -> set[str]:
    """Names of the project modules that `modules` import, transitively, `modules` included."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(_imported(module))
    return found


def _file(module: str) -> Path | None:
    """The source file of a project module, or None where there is no such module."""
    if module.partition(".")[0] not in _FOLLOWED:
        return None
    path = ROOT.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


@cache
def _said(module: str) -> "Said":
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"no module {module} in the project")
    return read(path.read_text(encoding="utf-8"))


@cache
def _imported(module: str) -> frozenset[str]:
    """Project modules that one module imports itself, the packages around it and them included."""
    names = {*_said(module).imports, module}
    names |= {name.rpartition(".")[0] for name in names}
    packages = {".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2)}
    return frozenset(name for name in packages if _file(name))


@cache
def _meaning(module: str) -> str:
    """The meaning of a module, and the digests of the data files beside it."""
    return _said(module).meaning + _data_files(module)


@dataclass(frozen=True)
class Said:
    """What a source text imports (dotted names), and a digest of what it says without comments and docstrings."""

    imports: frozenset[str]
    meaning: str


@cache
def read(text: str) -> Said:
    """What is said in a source text."""
    tree = ast.parse(text)
    imports = frozenset(_import_statements(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstrings(node)
    return Said(imports, hashlib.sha256(ast.dump(tree).encode()).hexdigest())


def _import_statements(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _drop_docstrings(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    node.body = [
        statement
        for statement in node.body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]


def _data_files(module: str) -> str:
    path = _file(module)
    if path is None or path.name != "__init__.py":
        return ""
    files = sorted(file for file in _beside(path.parent) if file.suffix not in {".py", ".pyc"})
    return "".join(f"{file.relative_to(ROOT)} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files)


def _beside(folder: Path) -> Iterator[Path]:
    """The files in the folder of a package, and in folders of it that are no packages."""
    for entry in folder.iterdir():
        if entry.is_file():
            yield entry
        elif entry.name != "__pycache__" and not (entry / "__init__.py").is_file():
            yield from _beside(entry)
