"""Cache policies: a step runs again when a project file that it depends on has changed.

ZenML's cache key covers inputs and parameters of a step. `CachePolicy.file_dependencies` adds the content of files:
here the step's module and every project module that it imports, directly or through others, at module level or inside
functions. Imports under `if TYPE_CHECKING` do not count. Data files in the folder of a package belong to the package.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
from zenml.config.cache_policy import CachePolicy

from accidents.configuration.paths import PROJECT_ROOT

_PACKAGES = ("accidents", "materializers", "steps", "tracking")


def cache_policy(*modules: str) -> CachePolicy:
    """The cache policy of a step.

    Args:
        *modules: dotted names: the step's own module, and modules that it imports by name at run time.

    Raises:
        ModuleNotFoundError: there is no such module in the project.
    """
    return CachePolicy(include_step_code=False, file_dependencies=file_dependencies(*modules))


def code_digest(*modules: str) -> str:
    """SHA-256 over names and content of the `file_dependencies` of some modules."""
    digest = hashlib.sha256()
    for file in file_dependencies(*modules):
        digest.update(f"{file}\n".encode() + (PROJECT_ROOT / file).read_bytes())
    return digest.hexdigest()


def file_dependencies(*modules: str) -> list[str]:
    """Project files that some modules depend on, as paths relative to the project, sorted."""
    graph = _import_graph()
    if unknown := [module for module in modules if module not in graph.modules]:
        raise ModuleNotFoundError(f"no module {', '.join(unknown)} in the project")
    imported = set(modules).union(*(graph.find_upstream_modules(module) for module in modules))
    return sorted(file.relative_to(PROJECT_ROOT).as_posix() for module in imported for file in _files(module))


@cache
def _import_graph() -> grimp.ImportGraph:
    """Imports of the project; a module also depends on the packages around it, whose `__init__` runs first."""
    graph = grimp.build_graph(*_PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    for module in graph.modules:
        if package := module.rpartition(".")[0]:
            graph.add_import(importer=module, imported=package)
    return graph


def _files(module: str) -> Iterator[Path]:
    """The source file of a module; for a package, `__init__.py` and the data files."""
    path = PROJECT_ROOT.joinpath(*module.split("."))
    if path.is_dir():
        yield path / "__init__.py"
        yield from _data_files(path)
    else:
        yield path.with_suffix(".py")


def _data_files(folder: Path) -> Iterator[Path]:
    """Files of a folder, and of subfolders that are no packages, that hold no code."""
    for entry in folder.iterdir():
        if entry.is_file():
            if entry.suffix not in {".py", ".pyc"}:
                yield entry
        elif entry.name != "__pycache__" and not (entry / "__init__.py").is_file():
            yield from _data_files(entry)
