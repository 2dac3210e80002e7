"""Owners of locks and files: a process that runs is never taken for one that has ended, nor the other way round."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accidents.atomic_write import atomic_write, write_text
from accidents.process_owner import ProcessOwner
from accidents.temporary_files import delete_abandoned, temporary_folder

OWNER_SCRIPT = """
import sys
from pathlib import Path
from accidents.atomic_write import atomic_write
from accidents.process_owner import ProcessOwner
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print(ProcessOwner.current(), flush=True)
    sys.stdin.read()
"""


def start_writer(path: Path, project: Path) -> tuple["subprocess.Popen[str]", ProcessOwner]:
    """A process that has written half of a file, and its owner record."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER_SCRIPT, str(path)],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    owner = ProcessOwner.parse(process.stdout.readline().strip())
    assert owner is not None
    return process, owner


def test_a_killed_process_has_ended_before_its_parent_collects_it(project: Path, tmp_path: Path) -> None:
    process, owner = start_writer(tmp_path / "scores.csv", project)
    assert owner.pid == process.pid
    assert not owner.has_ended
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    assert owner.has_ended
    process.communicate()
    assert owner.has_ended


def test_a_later_process_of_the_same_id_is_another_owner() -> None:
    current = ProcessOwner.current()
    assert current.is_local
    assert not current.has_ended
    assert replace(current, started=current.started + 1).has_ended


@pytest.mark.parametrize("pid", [1, 2**22 + 1, os.getpid()], ids=["first", "none", "own"])
def test_a_process_of_another_machine_may_run(pid: int) -> None:
    elsewhere = ProcessOwner("0" * 12, pid, 1)
    assert not elsewhere.is_local
    assert not elsewhere.has_ended


@given(st.builds(ProcessOwner, st.text("0123456789abcdef", min_size=12, max_size=12), st.integers(0), st.integers(0)))
def test_the_text_form_is_read_back(owner: ProcessOwner) -> None:
    assert ProcessOwner.parse(str(owner)) == owner


@given(st.text() | st.none())
def test_other_texts_are_no_owner(text: str | None) -> None:
    owner = ProcessOwner.parse(text)
    assert owner is None or ProcessOwner.parse(str(owner)) == owner


def test_the_next_write_deletes_what_a_killed_one_left_and_nothing_else(project: Path, tmp_path: Path) -> None:
    killed, _ = start_writer(tmp_path / "killed.csv", project)
    running, _ = start_writer(tmp_path / "running.csv", project)
    foreign = tmp_path / f".other.csv.{ProcessOwner('0' * 12, 1, 1)}.tmp"
    unrelated = [tmp_path / name for name in (".notes.tmp", ".scores.csv.17.tmp", "draft.tmp")]
    for file in (foreign, *unrelated):
        file.write_text("kept")
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.glob(".killed.csv.*.tmp"))) == 1
    write_text(tmp_path / "next.csv", "whole")
    assert not list(tmp_path.glob(".killed.csv.*"))
    assert len(list(tmp_path.glob(".running.csv.*.tmp"))) == 1
    assert all(file.exists() for file in (foreign, *unrelated))
    running.communicate("")
    assert (tmp_path / "running.csv").read_text() == "half"


def test_files_of_another_machine_are_deleted_after_a_week(tmp_path: Path) -> None:
    foreign = tmp_path / f".other.csv.{ProcessOwner('0' * 12, 1, 1)}.tmp"
    foreign.write_text("old")
    os.utime(foreign, (0, 0))
    assert delete_abandoned(tmp_path) == [foreign]
    with atomic_write(tmp_path / "own.csv") as temporary:
        temporary.write_text("being written")
        assert delete_abandoned(tmp_path) == []


def test_a_temporary_folder_is_deleted_at_its_end_or_by_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / f".accidents-1.{replace(ProcessOwner.current(), started=1)}.tmp"
    left.mkdir()
    (left / "chunk.csv").write_text("half")
    with temporary_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]
        assert folder.stat().st_mode & 0o77 == 0
        with temporary_folder(tmp_path) as other:
            assert folder != other
    assert list(tmp_path.iterdir()) == []
