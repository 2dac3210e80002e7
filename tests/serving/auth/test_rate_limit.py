"""Rate limits in shared memory: counts against a dictionary, several processes, killed and stopped ones, fixed size."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accidents.errors import ConfigurationError
from serving.auth import rate_limit
from serving.auth.rate_limit import RateLimiter
from tests.serving.service_process import PROJECT

CALLS = """
import sys
from pathlib import Path
from serving.auth.rate_limit import RateLimiter
limiter = RateLimiter(Path(sys.argv[1]), 1000, 150_000, exact=True)
print("ready", flush=True)
sys.stdin.readline()
print(sum(limiter.hit(sys.argv[2]) == 0 for _ in range(int(sys.argv[3]))), flush=True)
"""


def start(file: Path, name: str, calls: int) -> "subprocess.Popen[str]":
    """A process that calls a limiter of 150,000 as often as told, once a line is sent to it."""
    command = [sys.executable, "-c", CALLS, str(file), name, str(calls)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from("abc"))), st.integers(1, 4), st.none() | st.floats(0.1, 9))
def test_counts_are_those_of_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[float, str]], limit: int, lockout: float | None
) -> None:
    limiter = RateLimiter(tmp_path_factory.mktemp("limits") / "counts", 2, limit, lockout, exact=True)
    now, windows = 100.0, dict[str, tuple[float, int]]()
    for pause, name in calls:
        now += pause
        end, count = windows.get(name, (0.0, 0))
        end, count = (end, count + 1) if now < end else (now + 2, 1)
        if count == limit + 1 and lockout is not None:
            end = now + lockout
        windows[name] = end, count
        with patch.object(rate_limit, "time", SimpleNamespace(monotonic=lambda at=now: at)):
            assert limiter.hit(name) == (end - now if count > limit else 0)


@pytest.mark.slow
def test_processes_share_one_limit(tmp_path: Path) -> None:
    processes = [start(tmp_path / "counts", "name", 100_000) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    allowed = sum(int(process.communicate()[0]) for process in processes)
    # Where a process loses its processor for long with the lock held, the others count without it.
    assert 150_000 <= allowed <= 153_000


@pytest.mark.slow
def test_killed_processes_leave_valid_counts_and_no_lock(tmp_path: Path) -> None:
    file = tmp_path / "counts"
    for number in range(10):
        process = start(file, "name", 10**9)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(0.01 * number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        limiter = RateLimiter(file, 1000, 3, exact=True)
        assert [limiter.hit(f"new {number}") > 0 for _ in range(5)] == [False] * 3 + [True] * 2
        assert limiter.hit("name") <= 1000


def test_lock_that_a_stopped_process_holds_delays_nobody(tmp_path: Path) -> None:
    limiter = RateLimiter(tmp_path / "counts", 1000, 3, exact=True)
    with (tmp_path / "counts").open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert [limiter.hit("name") > 0 for _ in range(5)] == [False] * 3 + [True] * 2


def test_flood_of_names_needs_no_more_memory(tmp_path: Path) -> None:
    limiter = RateLimiter(tmp_path / "counts", 1000, 3, exact=True)
    size = (tmp_path / "counts").stat().st_size
    assert size < 500_000
    assert not any(limiter.hit(f"name {number}") for number in range(50_000))
    assert (tmp_path / "counts").stat().st_size == size
    assert [limiter.hit("another") > 0 for _ in range(5)] == [False] * 3 + [True] * 2


def test_names_do_not_share_counts(tmp_path: Path) -> None:
    """Up to a tenth of the slots, hardly any bucket is full."""
    limiter = RateLimiter(tmp_path / "counts", 1000, 1)
    names = [f"name {number}" for number in range(1600)]
    assert not any(limiter.hit(name) for name in names)
    assert all(limiter.hit(name) for name in names)


def test_folder_without_room_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing.counts: cannot be created \(No such file or directory\)"):
        RateLimiter(tmp_path / "missing" / "counts", 1, 1)
    if Path("/dev/full").exists() and os.geteuid() == 0:
        with pytest.raises(ConfigurationError, match="No space left"):
            RateLimiter(Path("/dev/full"), 1, 1)
