"""Commands that are killed with SIGKILL at random moments: a harness for tests of what they leave behind.

A command runs in a process that is forked from one in which the libraries are imported, so that a kill hits the command
and not an import. The moments are drawn from the time that the command takes to its end, each from its own seed.

Kills are counted in the cache of pytest: a test that is interrupted goes on where it stopped. With
`KILL_POINTS_SECONDS=600` a test ends after that time, and the next run goes on; `KILL_POINTS` changes the number of
kills.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
import pytest

_PRELOADED = ["cli.main", "cli.registry", "cli.keys", "cli.pipeline_commands", "zenml.client", "mlflow", "sqlalchemy"]
_TIMEOUT_SECONDS = 900
_SECONDS, _KILLS = "KILL_POINTS_SECONDS", "KILL_POINTS"


@dataclass(frozen=True)
class Ended:
    """A command that has ended: exit code, negative where it was killed, both outputs, and the seconds that it took."""

    arguments: Sequence[str]
    code: int
    out: str
    err: str
    seconds: float

    @property
    def was_killed(self) -> bool:
        return self.code < 0


@dataclass
class Commands:
    """Runs command lines of `python run.py` in processes of their own."""

    folder: Path
    durations: dict[tuple[str, ...], float] = field(default_factory=dict)
    """Typical seconds by the first two words."""

    def run(self, *arguments: str) -> Ended:
        """Run a command to its end, which must be without an error."""
        ended = self._end(arguments, None)
        assert ended.code == 0, f"{arguments}: {ended.code}\n{ended.out[-3000:]}\n{ended.err[-3000:]}"
        return ended

    def kill(self, random: np.random.Generator, *arguments: str) -> Ended:
        """Run a command and kill it at a random moment; it may have ended before."""
        others = [seconds for words, seconds in self.durations.items() if words[0] == arguments[0]]
        typical = self.durations.get(arguments[:2], max(others, default=1.0))
        return self._end(arguments, random.uniform(0, 1.05 * typical))

    def _end(self, arguments: Sequence[str], seconds: float | None) -> Ended:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        outputs = self.folder / "out.txt", self.folder / "err.txt"
        process = context.Process(target=_call, args=(list(arguments), dict(os.environ), *map(str, outputs)))
        for output in outputs:
            output.write_text("")
        process.start()
        started = time.monotonic()
        process.join(_TIMEOUT_SECONDS if seconds is None else seconds)
        took = time.monotonic() - started
        _kill(process)
        code = process.exitcode
        assert code is not None
        out, err = (output.read_text(errors="replace") for output in outputs)
        if code == 0:
            before = self.durations.get(tuple(arguments[:2]), took)
            self.durations[tuple(arguments[:2])] = (before + took) / 2
        return Ended(arguments, code, out, err, took)


def kill_again_and_again(
    request: pytest.FixtureRequest,
    name: str,
    kills: int,
    attempt: Callable[[np.random.Generator], bool],
) -> None:
    """Repeat an attempt until as many of them were killed.

    Args:
        request: of the test, for its cache.
        name: of the test, for the cache.
        kills: number of kills.
        attempt: kills a command and checks what it has left; gets a generator of random numbers of its own, and
            returns whether the command was killed before its end.
    """
    cache, key = request.config.cache, f"kill_points/{name}"
    assert cache is not None
    kills = int(os.environ.get(_KILLS, kills))
    deadline = time.monotonic() + float(os.environ.get(_SECONDS, "inf"))
    killed, number = cache.get(key, [0, 0])
    while killed < kills:
        if time.monotonic() >= deadline:
            pytest.skip(f"{killed} of {kills} kills; the next run goes on")
        assert number < 20 * kills, "the kills miss the command"
        killed += attempt(np.random.default_rng([number, *name.encode()]))
        number += 1
        cache.set(key, [killed, number])
    cache.set(key, [0, 0])


def _call(arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    """Run a command line, as a new process of this environment would."""
    os.environ.clear()
    os.environ.update(environment)
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
    from cli.main import main

    code = main(arguments)
    sys.stdout.flush()
    sys.exit(code)


def _kill(process: ForkServerProcess) -> None:
    if process.exitcode is None:
        process.kill()
    process.join()
