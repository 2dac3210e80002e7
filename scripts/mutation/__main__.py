"""Run a seeded sample of mutants and fail where too few of them are noticed.

    python -m scripts.mutation [--count N] [--minutes M] [--workers N] [PACKAGE ...]

A run that is stopped goes on where it was when it is started again, as long as sources and tests are the same.
"""

import argparse
import hashlib
import importlib
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

# Before anything imports numpy or numba: kernels as plain Python, one thread.
os.environ.update(NUMBA_DISABLE_JIT="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from scripts.mutation.coverage_map import Traced, failed_tests, module_name, run_tests, select, trace
from scripts.mutation.jobs import Copies, Job, Result, import_ahead
from scripts.mutation.mutants import Mutant, change, mutants
from scripts.mutation.session import MutantResult, Outcome, Session, reviewed

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accidents/features", "accidents/training", "accidents/promotion", "accidents/inference")
LEAST = 0.9
"""Share of the mutants that tests must notice."""

_ALSO = ("requests",)  # tests that run features besides those of the packages themselves
_UNIMPORTABLE = 71
_BUDGET = 60.0  # seconds of tests of other packages for one mutant, as traced
_FIRST = ("coverage", "hypothesis", "numba", "numpy", "pandas", "pyarrow.parquet", "pytest", "sklearn")


def main() -> int:
    """Run the sample, print the report; 1 where too few are killed or too few were tested in time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packages", nargs="*", default=PACKAGES, metavar="PACKAGE", help="default: %(default)s")
    parser.add_argument("--count", type=int, default=320, help="mutants to test; default: %(default)s")
    parser.add_argument("--minutes", type=float, default=55.0, help="to stop after; default: %(default)s")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; default: %(default)s")
    parser.add_argument("--seed", type=int, default=14, help="of the sample; default: %(default)s")
    parser.add_argument("--keep", action="store_true", help="count kills of an earlier run, though files have changed")
    arguments = parser.parse_args()
    deadline = time.monotonic() + 60 * arguments.minutes

    sources = [*(ROOT / "accidents").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    state = ROOT / ".mutation"
    session = Session(state / "results.jsonl", f"{_digest(sources)} {arguments.seed}", arguments.keep)
    sample = mutants(ROOT, arguments.packages, arguments.seed)
    modules = sorted({mutant.module for mutant in sample})
    shared = [file for file in sources if not file.name.startswith("test_")]
    folders = sorted({*(Path(package).name for package in arguments.packages), *_ALSO})
    files = [file for folder in folders for file in sorted((ROOT / "tests" / folder).glob("test_*.py"))]
    digests = {file.relative_to(ROOT).as_posix(): _digest([*shared, file], *modules) for file in files}
    import_ahead(_FIRST)
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        copies = Copies(ROOT, arguments.workers, Path(name))
        traced = trace(copies, modules, digests, state / "traced")
        for test in (test for one in traced.values() for test in one.failed):
            print(f"left out, since it fails without any mutation: {test}")
        print(f"{len(sample):,} places to change, {len(traced)} test files", flush=True)
        by_order = {mutant.order: mutant for mutant in sample}
        jobs = _jobs(sample, session, traced, arguments.count, deadline)
        for result in copies.run(jobs):
            tested = _tested(by_order[result.job.name], result)
            session.add(tested)
            if tested.outcome is Outcome.SURVIVED:
                print(f"survived {tested.module}:{tested.line}\n  - {tested.before}\n  + {tested.after}", flush=True)
    return _report(_counted(sample, session, arguments.count), arguments.count)


def _digest(files: list[Path], *texts: str) -> str:
    found = hashlib.sha256("".join(texts).encode())
    for file in sorted(files):
        found.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return found.hexdigest()


def _jobs(
    sample: list[Mutant], session: Session, traced: dict[str, Traced], count: int, deadline: float
) -> Iterator[Job]:
    """Tests of mutants that have no result yet, until there are enough of those that can be imported.

    Those that are reviewed as equivalent survive without tests, which take longest where nothing fails.
    """
    known = reviewed()
    for mutant in sample:
        counted = sum(one.outcome is not Outcome.UNIMPORTABLE for one in _counted(sample, session, count))
        if counted >= count or time.monotonic() > deadline:
            return
        if mutant.order in session.results:
            continue
        source = (ROOT / mutant.module).read_text(encoding="utf-8")
        code = mutant.code(source)
        entry = known.get((mutant.module, *change(source, code)))
        if entry and entry.equivalent:
            lines = entry.before, entry.after
            session.add(MutantResult(mutant.module, mutant.line, *lines, mutant.order, Outcome.SURVIVED))
            continue
        nodes = select(mutant.module, source, mutant.line, traced, _BUDGET)
        seconds = 60 + 3 * sum(traced[node].seconds for node in nodes if node in traced)
        left_out = [test for node in nodes if node in traced for test in traced[node].failed]
        run = partial(_test, mutant.module, nodes, left_out)
        yield Job(mutant.order, run, seconds, {mutant.module: code})


def _test(module: str, nodes: list[str], left_out: list[str]) -> int:
    try:
        importlib.import_module(module_name(module))
    except Exception as error:  # a mutant may raise anything
        print(error)
        return _UNIMPORTABLE
    return run_tests(nodes, "-x", "--timeout=60", *(f"--deselect={node}" for node in left_out)) if nodes else 0


def _tested(mutant: Mutant, result: Result) -> MutantResult:
    source = (ROOT / mutant.module).read_text(encoding="utf-8")
    outcome = {0: Outcome.SURVIVED, 5: Outcome.SURVIVED, _UNIMPORTABLE: Outcome.UNIMPORTABLE}
    failed = failed_tests(result.output)
    return MutantResult(
        mutant.module,
        mutant.line,
        *change(source, mutant.code(source)),
        mutant.order,
        outcome.get(result.code, Outcome.KILLED),
        failed[0] if failed else f"exit code {result.code}" if result.code else "",
        round(result.seconds, 1),
    )


def _counted(sample: list[Mutant], session: Session, count: int) -> list[MutantResult]:
    """Results of the sample in its order, up to `count` that could be imported."""
    found: list[MutantResult] = []
    for mutant in sample:
        if mutant.order in session.results and count:
            found.append(session.results[mutant.order])
            count -= found[-1].outcome is not Outcome.UNIMPORTABLE
    return found


def _report(results: list[MutantResult], count: int) -> int:
    known = reviewed()
    kinds: dict[str, Counter[str]] = {}
    open_, valid, killed = [], 0, 0
    for one in results:
        entry = known.get((one.module, one.before, one.after))
        kind = str(one.outcome)
        if one.outcome is Outcome.SURVIVED and entry and entry.equivalent:
            kind = "equivalent"
        kinds.setdefault(str(Path(one.module).parent), Counter())[kind] += 1
        if one.outcome is Outcome.SURVIVED:
            open_.append((one, entry))
        valid += kind in {"killed", "survived"}
        killed += kind == "killed"
    print(
        f"\n{'package':<24}" + "".join(f"{kind:>14}" for kind in ("killed", "survived", "equivalent", "unimportable"))
    )
    for package, counts in sorted(kinds.items()):
        numbers = (counts[kind] for kind in ("killed", "survived", "equivalent", "unimportable"))
        print(f"{package:<24}" + "".join(f"{number:>14}" for number in numbers))
    for one, entry in open_:
        print(f"\n{one.module}:{one.line}\n  - {one.before}\n  + {one.after}")
        print(f"  {'equivalent: ' if entry and entry.equivalent else ''}{entry.reason if entry else 'NO REASON YET'}")
    tested = sum(one.outcome is not Outcome.UNIMPORTABLE for one in results)
    share = killed / max(valid, 1)
    print(f"\n{killed} of {valid} mutants killed, {share:.1%}; at least {LEAST:.0%} are needed")
    if tested < count:
        print(f"{tested} of {count} were tested in time: the same command goes on where this run stopped")
    return int(share < LEAST or tested < count)


if __name__ == "__main__":
    sys.exit(main())
