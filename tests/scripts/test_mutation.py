"""Mutation testing: which mutants there are, which tests run, and what becomes of them."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator

from scripts.mutation.coverage_map import DEFINITIONS, Traced, select
from scripts.mutation.jobs import TIMED_OUT, Copies, Job
from scripts.mutation.mutants import change, mutants, plain
from scripts.mutation.operators import RemoveKeyword, RemoveStatement, SwapNeighbours
from scripts.mutation.session import MutantResult, Outcome, Session, reviewed

MODULE = '''"""A module."""

from collections.abc import Callable
from dataclasses import dataclass

Rule = Callable[[int, str], None]
LIMITS: tuple[int, ...] = (3, 5)


@dataclass(frozen=True)
class Box:
    """A box."""

    size: int | None = 1


def price(size: int | None, taxed: bool = True) -> int:
    """The price."""
    if size > LIMITS[0]:
        print(size)
    return round(
        size
        * 2,
        ndigits=1,
    )
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one module."""
    root = tmp_path / "project"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "prices.py").write_text(MODULE)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@pytest.mark.parametrize("operator", [SwapNeighbours(), RemoveKeyword(), RemoveStatement()])
def test_operators_do_what_their_examples_show(operator: Operator) -> None:
    examples = list(operator.examples())
    assert examples
    for example in examples:
        assert mutate_code(example.pre_mutation_code, operator, example.occurrence) == example.post_mutation_code


def test_each_place_has_one_mutant_and_annotations_and_decorators_none(root: Path) -> None:
    found = mutants(root, ["shop"], seed=1)
    changes = [change(MODULE, mutant.code(MODULE)) for mutant in found]
    assert len({(mutant.line, *one) for mutant, one in zip(found, changes, strict=True)}) == len(found)
    assert {before for before, _ in changes} >= {
        "LIMITS: tuple[int, ...] = (3, 5)",
        "size: int | None = 1",
        "if size > LIMITS[0]:",
        "print(size)",
        "* 2,",
        "ndigits=1,",
    }
    assert not any("@dataclass" in before or "Rule" in before for before, _ in changes)
    for _, after in changes:
        assert "tuple[int, ...] =" in after or "tuple" not in after
        assert "int | None" in after or "int " not in after or "def" not in after


def test_the_seed_decides_the_sample_and_line_numbers_do_not(root: Path) -> None:
    first, again, other = ([one.order for one in mutants(root, ["shop"], seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    (root / "shop" / "prices.py").write_text(MODULE.replace("\n\n\n@data", "\n\n\nADDED = None\n\n\n@data"))
    assert [one.order for one in mutants(root, ["shop"], seed=1)] == first


def test_tests_are_those_that_run_the_statement_own_and_fast_ones_first() -> None:
    line = {text.strip(): number for number, text in enumerate(MODULE.splitlines(), start=1)}
    module = "accidents/shop/prices.py"
    statement = line["size"]
    traced = {
        "tests/other/test_fast.py": Traced(2, {module: [statement + 1]}, ()),
        "tests/shop/test_own.py": Traced(4, {module: [statement]}, ()),
        "tests/other/test_slow.py": Traced(50, {module: [statement]}, ()),
        "tests/other/test_if.py": Traced(1, {module: [line["if size > LIMITS[0]:"]]}, ()),
        "tests/shop/test_elsewhere.py": Traced(1, {}, ()),
    }
    chosen = select(module, MODULE, line["* 2,"], traced, budget=100)
    assert chosen == ["tests/shop/test_own.py", "tests/other/test_fast.py", "tests/other/test_slow.py"]
    assert select(module, MODULE, line["* 2,"], traced, budget=10) == chosen[:2]
    assert select(module, MODULE, line["* 2,"], traced, budget=0) == chosen[:1]
    at_import = select(module, MODULE, line["LIMITS: tuple[int, ...] = (3, 5)"], traced, budget=100)
    assert {*at_import} == {*traced}
    assert select("accidents/features/some.py", MODULE, 1, traced, budget=100) == [*DEFINITIONS]
    untraced = select(module, MODULE, line["print(size)"], traced, budget=100)
    assert untraced == ["tests/shop/test_elsewhere.py", "tests/shop/test_own.py"]


@pytest.mark.slow
def test_a_job_sees_its_changes_and_leaves_none(root: Path, tmp_path: Path) -> None:
    def limit() -> int:
        from shop.prices import LIMITS  # type: ignore[import-not-found]

        print("limit", LIMITS[0], Path.cwd().name, os.environ["TMPDIR"])
        return int(LIMITS[0])

    def endless() -> int:
        time.sleep(60)
        return 0

    def faulty() -> int:
        raise ValueError("broken")

    jobs = [
        Job("as it is", limit, 60),
        Job("changed", limit, 60, {"shop/prices.py": MODULE.replace("(3, 5)", "(4, 5)")}),
        Job("again", limit, 60),
        Job("endless", endless, 0.2),
        Job("faulty", faulty, 60),
    ]
    results = {result.job.name: result for result in Copies(root, 1, tmp_path / "copies").run(jobs)}
    assert {name: result.code for name, result in results.items()} == {
        "as it is": 3,
        "changed": 4,
        "again": 3,
        "endless": TIMED_OUT,
        "faulty": 70,
    }
    assert "limit 4 copy-0" in results["changed"].output
    assert "ValueError: broken" in results["faulty"].output
    assert (root / "shop" / "prices.py").read_text() == MODULE


def test_a_session_goes_on_unless_sources_or_tests_changed(tmp_path: Path) -> None:
    path = tmp_path / "state" / "results.jsonl"
    killed = MutantResult("m.py", 1, "a", "b", "1", Outcome.KILLED, "tests/x.py::test")
    survived = MutantResult("m.py", 2, "a", "c", "2", Outcome.SURVIVED)
    first = Session(path, "digest")
    first.add(killed)
    first.add(survived)
    assert Session(path, "digest").results == {"1": killed, "2": survived}
    assert Session(path, "other", keep=True).results == {"1": killed}
    assert Session(path, "changed").results == {}
    assert Session(path, "changed").results == {}


def test_tests_of_definitions_exist(project: Path) -> None:
    for node in DEFINITIONS:
        file, name = node.split("::")
        assert f"def {name}(" in (project / file).read_text()


@pytest.mark.long
def test_reviewed_survivors_have_a_reason_and_name_lines_that_exist(project: Path) -> None:
    for module, before, _ in reviewed():
        assert before in plain((project / module).read_text().splitlines()), f"{module}: {before}"
    assert all(len(entry.reason) > 10 for entry in reviewed().values())
