"""Which test files run which lines of the mutated packages, and how long they take."""

import ast
import importlib
import json
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pytest

from scripts.mutation.jobs import Copies, Job, import_ahead

DEFINITIONS = (
    "tests/bundle/test_columns.py::test_digests_are_those_that_stored_models_have",
    "tests/test_docs.py::test_generated_pages_say_what_the_code_says",
)
"""Tests that compare the definitions of all features with stored ones; the second does so in another process."""

_LONGEST = 900.0  # seconds for one test file, traced
_OPTIONS = ("-q", "-rfE", "-p", "no:cacheprovider", "-p", "no:randomly", "-m", "not long and not browser and not real")


@dataclass(frozen=True)
class Traced:
    """A test file.

    Attributes:
        seconds: of the processor that it takes while it is traced.
        lines: that its tests run, by module, but for those that run while modules are imported.
        libraries: modules outside the project that are imported in the end.
        failed: tests that fail without any mutation, such as those of speed, which need compiled kernels.
    """

    seconds: float
    lines: Mapping[str, Sequence[int]]
    libraries: Sequence[str]
    failed: Sequence[str] = ()


def run_tests(nodes: Iterable[str], *options: str) -> int:
    """Run tests in this process, each hypothesis test with the same examples, and give pytest's exit code."""
    from hypothesis import Phase, settings

    settings.register_profile("mutation", phases=(Phase.explicit, Phase.generate), database=None, deadline=None)
    settings.load_profile("mutation")
    return int(pytest.main([*_OPTIONS, "--hypothesis-seed=0", *options, *nodes]))


def module_name(path: str) -> str:
    """Dotted name of a module by its path from the root of the project."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def trace(copies: Copies, modules: Sequence[str], files: Mapping[str, str], cache: Path) -> dict[str, Traced]:
    """Run each test file in a job of its own.

    Args:
        copies: where to run them.
        modules: paths of the modules whose lines count.
        files: paths of the test files, each with a digest of all that its lines and results depend on.
        cache: a folder for results, from which a file of the same digest is taken.

    Raises:
        RuntimeError: a file cannot be run at all.
    """
    cache.mkdir(parents=True, exist_ok=True)
    places = {file: cache / f"{digest}.json" for file, digest in files.items()}
    jobs = (
        Job(file, partial(_trace_file, modules, file, place), _LONGEST)
        for file, place in places.items()
        if not place.exists()
    )
    for result in copies.run(jobs):
        if result.code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
            raise RuntimeError(f"{result.job.name} cannot be run:\n{result.output}")
        place = places[result.job.name]
        found = json.loads(place.with_suffix(".tmp").read_text(encoding="utf-8"))
        place.write_text(json.dumps(found | {"failed": failed_tests(result.output)}), encoding="utf-8")
        import_ahead(found["libraries"])
    found = {file: Traced(**json.loads(place.read_text(encoding="utf-8"))) for file, place in places.items()}
    import_ahead({name for one in found.values() for name in one.libraries})
    return {file: one for file, one in found.items() if one.lines}


def failed_tests(output: str) -> list[str]:
    """Node ids of the tests that failed, from what pytest prints."""
    return re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)


def _libraries() -> list[str]:
    """Modules that are imported now and lie outside the project."""
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return [name for name, file in files.items() if file and "site-packages" in file]


def _trace_file(modules: Sequence[str], file: str, output: Path) -> int:
    from coverage import Coverage

    for module in modules:
        importlib.import_module(module_name(module))
    coverage = Coverage(data_file=None, include=list(modules), config_file=False)
    started = time.process_time()
    coverage.start()
    code = run_tests([file])
    coverage.stop()
    seconds, data = time.process_time() - started, coverage.get_data()
    lines = {module: sorted(data.lines(str(Path(module).resolve())) or ()) for module in modules}
    traced = Traced(seconds, {module: numbers for module, numbers in lines.items() if numbers}, _libraries())
    output.with_suffix(".tmp").write_text(json.dumps(asdict(traced)), encoding="utf-8")
    return code


def select(module: str, source: str, line: int, traced: Mapping[str, Traced], budget: float) -> list[str]:
    """Test files that run a line, those of its own package and fast ones first.

    For a line that runs at import it is every test file that runs a line of the module, and every one of its package;
    those of its package are also taken where none runs the line, as property tests and slow ones are not traced.
    A change of a feature also meets `DEFINITIONS`.

    Args:
        module: path of the module.
        source: its text.
        line: number of the line.
        traced: what test files run.
        budget: seconds that files of other packages may take together; one file is always taken.
    """
    reached = _statement(source, line)
    own = f"tests/{Path(module).parent.name}/"
    files = []
    if reached:
        files = [file for file, one in traced.items() if reached.intersection(one.lines.get(module, ()))]
    if not any(file.startswith(own) for file in files):
        files += [file for file in traced if file.startswith(own)]
    if not reached:
        files += [file for file, one in traced.items() if module in one.lines and file not in files]
    files.sort(key=lambda file: (not file.startswith(own), traced[file].seconds))
    chosen: list[str] = []
    spent = 0.0
    for file in files:
        if not file.startswith(own):
            spent += traced[file].seconds
        if spent <= budget or not chosen:
            chosen.append(file)
    if own != "tests/features/":
        return chosen
    return [*chosen, *DEFINITIONS] if reached else [*DEFINITIONS, *chosen]


def _statement(source: str, line: int) -> set[int]:
    """Lines of the innermost statement inside a function that holds a line; none for one that runs at import."""
    innermost: set[int] = set()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef) or not function.body[0].lineno <= line <= (
            function.end_lineno or 0
        ):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case) and node is not function:
                body = getattr(node, "body", None)
                first = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
                last = (body[0].lineno - 1 if body else getattr(node, "end_lineno", None)) or first
                span = set(range(first, max(last, first) + 1))
                if line in span and (not innermost or len(span) <= len(innermost)):
                    innermost = span
    return innermost
