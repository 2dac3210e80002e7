"""Processor time and memory of a command with all its child processes."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_INTERVAL = 0.5  # seconds between two readings of memory
_STARTED = "Step `"
_FINISHED = " has finished"


@dataclass
class Usage:
    """What a command took: wall and processor seconds, and the peak of the memory of all its processes together.

    Memory is the proportional set size in bytes: pages that several processes share count once. `steps` has the wall
    seconds and the peak by ZenML step, `""` before the first one; of steps side by side, that which started last.
    """

    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak: int = 0
    steps: dict[str, tuple[float, int]] = field(default_factory=dict)


def measure(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> Usage:
    """Run a command until it ends, write what it prints to `log`, and measure it.

    Raises:
        RuntimeError: the command fails.
    """
    usage, step, lines = Usage(), "", []
    before, started = os.times(), time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

        def read() -> None:
            for line in process.stdout or ():
                output.write(f"{time.perf_counter() - started:8.1f} {line}")
                output.flush()
                lines.append(line)

        reader = threading.Thread(target=read)
        reader.start()
        last = started
        while process.poll() is None:
            memory, now = memory_of_tree(process.pid), time.perf_counter()
            step = _current_step(lines, step)
            seconds, peak = usage.steps.get(step, (0.0, 0))
            usage.steps[step] = seconds + now - last, max(peak, memory)
            usage.peak, last = max(usage.peak, memory), now
            time.sleep(_INTERVAL)
        reader.join()
    after = os.times()
    usage.seconds = time.perf_counter() - started
    usage.processor_seconds = sum(after[2:4]) - sum(before[2:4])
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}; see {log}")
    return usage


def _current_step(lines: list[str], step: str) -> str:
    """The step that the lines printed since the last call say has started; they are removed."""
    while lines:
        line = lines.pop(0)
        if line.startswith(_STARTED) and " has started" in line:
            step = line.removeprefix(_STARTED).partition("`")[0]
    return step


def memory_of_tree(pid: int) -> int:
    """Proportional set size of a process and all below it, in bytes; 0 where it has ended."""
    return sum(_proportional_set_size(one) for one in _tree(pid))


def _tree(pid: int) -> Iterator[int]:
    try:
        process = psutil.Process(pid)
        yield pid
        yield from (child.pid for child in process.children(recursive=True))
    except psutil.NoSuchProcess:
        return


def _proportional_set_size(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (OSError, ProcessLookupError):
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
