"""A lock on a file: others wait and are told for whom, and a killed holder is no obstacle."""

import subprocess
import sys
from pathlib import Path

import pytest

from accidents.errors import LockedError
from accidents.file_lock import file_lock

pytestmark = pytest.mark.slow

HOLDER_SCRIPT = """
import sys
from pathlib import Path
from accidents.file_lock import file_lock
with file_lock(Path(sys.argv[1]), "writing", 60):
    print("held", flush=True)
    sys.stdin.read()
"""


def start_holder(lock: Path, project: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER_SCRIPT, str(lock)],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_the_holder_is_named_and_a_killed_one_blocks_nobody(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "new" / "deployment.lock"
    holder = start_holder(lock, project)
    message = rf"process {holder.pid} of \S+ has been writing since 20\S+ \S+ UTC: try again"
    with pytest.raises(LockedError, match=message), file_lock(lock, "reading", 0.3):
        pass
    assert capsys.readouterr().err.endswith("UTC; waiting for up to 0.3 s\n")
    holder.kill()
    with file_lock(lock, "reading", 60):
        pass
    holder.communicate()


def test_a_second_process_waits_for_the_first(project: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with file_lock(lock, "reading", 0):
        second = subprocess.Popen(
            [sys.executable, "-c", HOLDER_SCRIPT, str(lock)],
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr
        assert "has been reading since" in second.stderr.readline()
        assert second.poll() is None
    assert second.communicate()[0] == "held\n"
    assert second.returncode == 0
