"""A change of any file of the project changes the code digest of the steps that depend on it, and of no others.

What depends on what is written down in `dependents.py`. Real runs of the same kind are in `test_mutations.py`.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.pipelines.dependents import DEPENDENT, EVERY

pytestmark = pytest.mark.slow

CHANGED = ("accidents", "materializers", "steps", "tracking")
NEEDED = (*CHANGED, "pipelines", "configs")
PROCESSES = 2
AS_IT_IS, REWORDED = "", "."

Digests = dict[str, dict[str, str]]


def project_files() -> Iterator[str]:
    """Every file of the packages that steps are made of."""
    for package in CHANGED:
        for path in (PROJECT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(PROJECT).as_posix()


FILES = sorted(project_files())


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> Digests:
    """Digests of every step for the project as it is and after each change, by processes with a copy of their own."""
    changes = [REWORDED, *FILES]
    copies = [tmp_path_factory.mktemp("copy") for _ in range(PROCESSES)]
    started = [measurement(copy, changes[number::PROCESSES]) for number, copy in enumerate(copies)]
    found: Digests = {}
    for process in started:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        measured = json.loads(output.splitlines()[-1])
        assert found.setdefault(AS_IT_IS, measured[AS_IT_IS]) == measured[AS_IT_IS]
        found |= measured
    return found


def measurement(copy: Path, changes: list[str]) -> subprocess.Popen[str]:
    """A process that measures `changes` in a fresh copy of the project."""
    for name in NEEDED:
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    script = shutil.copy(Path(__file__).with_name("measure_digests.py"), copy)
    return subprocess.Popen(
        [sys.executable, script, AS_IT_IS, *changes],
        cwd=copy,
        env=os.environ | {"ZENML_CONFIG_PATH": str(copy / "world"), "ZENML_LOCAL_STORES_PATH": str(copy / "stores")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_every_step_that_is_cached_has_a_digest(digests: Digests) -> None:
    assert digests[AS_IT_IS].keys() == EVERY
    assert len(set(digests[AS_IT_IS].values())) == len(EVERY)


def test_comments_docstrings_and_layout_run_nothing_again(digests: Digests) -> None:
    assert digests[REWORDED] == digests[AS_IT_IS]


@pytest.mark.parametrize("file", FILES)
def test_a_change_runs_the_dependent_steps_again_and_no_others(file: str, digests: Digests) -> None:
    if file not in DEPENDENT:
        pytest.fail(f"{file} is new: say in tests/pipelines/dependents.py which steps depend on it")
    before, after = digests[AS_IT_IS], digests[file]
    assert {step for step in before if after[step] != before[step]} == DEPENDENT[file]


def test_the_table_names_only_files_that_there_are() -> None:
    assert DEPENDENT.keys() - set(FILES) == set(), "tests/pipelines/dependents.py names files that are gone"
