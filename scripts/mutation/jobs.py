"""Jobs in forked processes, each in a copy of the project.

The parent imports libraries once and nothing of the project, so that a job starts in milliseconds and imports the
project anew, with what was changed in its copy.
"""

import compileall
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from py_compile import PycInvalidationMode

TIMED_OUT = -1000
"""Exit code of a job that was ended because it took too long."""

_POLL = 0.02  # seconds
_NEVER_AHEAD = ("_hypothesis_pytestplugin", "mlflow", "pytest_", "xdist", "zenml")  # read environment or options


@dataclass(frozen=True)
class Job:
    """Something to run in a copy of the project.

    Attributes:
        name: for whoever reads the result.
        function: what to run; gives the exit code.
        seconds: after which the job is ended.
        changes: new texts of files, by path from the root of the project; they last as long as the job.
    """

    name: str
    function: Callable[[], int]
    seconds: float
    changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """Exit code of a job (less than 0: ended by that signal), the seconds it took and what it printed."""

    job: Job
    code: int
    seconds: float
    output: str


@dataclass(frozen=True)
class _Running:
    job: Job
    copy: Path
    output: Path
    started: float


class Copies:
    """Copies of the project, each for one job at a time."""

    def __init__(self, root: Path, count: int, folder: Path) -> None:
        self.root = root
        self._free = [folder / f"copy-{number}" for number in range(count)]
        command = ("git", "-C", str(root), "ls-files", "-co", "--exclude-standard")
        listed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - own arguments
        for copy in self._free:
            for name in listed.stdout.splitlines():
                if (root / name).is_file():
                    (copy / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(root / name, copy / name)
            compileall.compile_dir(copy, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)

    def run(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Run jobs as copies become free; results come in the order in which the jobs end."""
        waiting, running = iter(jobs), dict[int, _Running]()
        try:
            while True:
                while self._free and (job := next(waiting, None)):
                    process, started = self._start(job, self._free.pop())
                    running[process] = started
                if not running:
                    return
                for process in list(running):
                    if (code := _ended(process, running[process])) is not None:
                        yield self._finish(running.pop(process), code)
                time.sleep(_POLL)
        finally:
            for process in running:
                _kill(process)

    def _start(self, job: Job, copy: Path) -> tuple[int, _Running]:
        for name, text in job.changes.items():
            (copy / name).write_text(text, encoding="utf-8")
        output = copy.with_name(f"{copy.name}.out")
        process = os.fork()
        if not process:
            _enter(job, copy, output, self.root)
        return process, _Running(job, copy, output, time.monotonic())

    def _finish(self, running: _Running, code: int) -> Result:
        for name in running.job.changes:
            shutil.copy2(self.root / name, running.copy / name)
        shutil.rmtree(_temporary(running.copy), ignore_errors=True)
        self._free.append(running.copy)
        text = running.output.read_text(encoding="utf-8", errors="replace")
        return Result(running.job, code, time.monotonic() - running.started, text)


def import_ahead(names: Iterable[str]) -> None:
    """Import libraries in this process, so that no job has to; those that cannot be imported are left out."""
    for name in names:
        if name not in sys.modules and not name.startswith(_NEVER_AHEAD):
            with suppress(Exception):
                importlib.import_module(name)


def _enter(job: Job, copy: Path, output: Path, root: Path) -> None:
    """Run a job in this process, which was forked for it, and end the process."""
    code = 70
    try:
        os.setsid()
        target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(target, 1)
        os.dup2(target, 2)
        sys.stdout = sys.stderr = os.fdopen(target, "w", encoding="utf-8")
        os.chdir(copy)
        _temporary(copy).mkdir()
        os.environ["TMPDIR"], tempfile.tempdir = str(_temporary(copy)), None
        sys.dont_write_bytecode = True
        sys.path[:] = [str(copy), *(path for path in sys.path if path not in {"", str(root)})]
        own = {path.stem for path in copy.iterdir()}
        for name in [name for name in sys.modules if name.partition(".")[0] in own]:
            del sys.modules[name]
        code = job.function()
    except BaseException:  # nothing of the parent may run in here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _ended(process: int, running: _Running) -> int | None:
    """Exit code of a process, None while it runs; one that takes too long is killed."""
    ended, status = os.waitpid(process, os.WNOHANG)
    if ended:
        return os.waitstatus_to_exitcode(status)
    if time.monotonic() - running.started > running.job.seconds:
        _kill(process)
        return TIMED_OUT
    return None


def _kill(process: int) -> None:
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)


def _temporary(copy: Path) -> Path:
    return copy.with_name(f"{copy.name}.tmp")
