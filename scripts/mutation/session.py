"""What a mutation run has found so far, kept on disk, and the reviewed list of survivors."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

REVIEWED = Path(__file__).with_name("survivors.toml")


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    UNIMPORTABLE = "unimportable"
    """The module cannot be imported; every test would notice, so that it counts nowhere."""


@dataclass(frozen=True)
class MutantResult:
    """A mutant after its tests: the changed lines, the test that failed if one did, the seconds that it took."""

    module: str
    line: int
    before: str
    after: str
    order: str
    outcome: Outcome
    test: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Reviewed:
    """A survivor that somebody looked at. An `equivalent` one behaves like the original in every respect."""

    module: str
    before: str
    after: str
    reason: str
    equivalent: bool = True


def reviewed() -> dict[tuple[str, str, str], Reviewed]:
    """The reviewed survivors by module and changed lines."""
    entries = tomllib.loads(REVIEWED.read_text(encoding="utf-8")).get("survivor", [])
    return {(one["module"], one["before"], one["after"]): Reviewed(**one) for one in entries}


@dataclass
class Session:
    """Results by `Mutant.order`, one JSON line each; a session of other sources or tests begins anew.

    Args:
        path: the file.
        digest: hash of sources and tests.
        keep: whether kills of an earlier session count although sources or tests have changed since.
    """

    path: Path
    digest: str
    keep: bool = False
    results: dict[str, MutantResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what there is."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        same = bool(lines) and json.loads(lines[0]) == self.digest
        earlier = [MutantResult(**json.loads(line)) for line in lines[1:]] if same or self.keep else []
        self.results = {one.order: one for one in earlier if same or one.outcome != Outcome.SURVIVED}
        self._write(self.results.values())

    def add(self, tested: MutantResult) -> None:
        """Keep a result."""
        self.results[tested.order] = tested
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(tested)) + "\n")

    def _write(self, results: Iterable[MutantResult]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(self.digest), *(json.dumps(asdict(one)) for one in results)]
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
