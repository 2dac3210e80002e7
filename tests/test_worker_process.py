"""A second process: it does the work where there is one, and its absence or death changes no result."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from accidents.errors import DataError
from accidents.worker_process import WorkerTask, side_by_side, worker_process

PROJECT = Path(__file__).resolve().parents[1]


def whose(number: int) -> tuple[int, int]:
    return os.getpid(), number


def refuse() -> None:
    raise DataError("not fit to be used")


def die_unless(first: int, how: int) -> int:
    """End a process that is not the first one, as one does that is out of memory or told to."""
    if os.getpid() != first:
        os.kill(os.getpid(), how)
        time.sleep(10)
    return first


def test_without_a_second_process_the_first_does_the_work() -> None:
    assert WorkerTask(whose, 7).result() == (os.getpid(), 7)


def test_a_second_process_does_the_work_and_ends_with_the_block() -> None:
    with worker_process("json"), worker_process("json"):
        tasks = [WorkerTask(whose, number) for number in range(5)]
        found = [task.result() for task in tasks]
        (child,) = multiprocessing.active_children()
    assert found == [(child.pid, number) for number in range(5)]
    assert not child.is_alive()
    assert WorkerTask(whose, 7).result() == (os.getpid(), 7)


@pytest.mark.parametrize("has_worker", [False, True])
def test_calls_side_by_side_give_results_in_their_order(has_worker: bool) -> None:
    with worker_process("json") if has_worker else nullcontext():
        found = side_by_side(whose, [(number,) for number in range(20)])
    assert [number for _, number in found] == [*range(20)]
    assert (found[0][0] != os.getpid()) == has_worker
    assert found[-1][0] == os.getpid()


def test_an_error_of_a_call_in_a_second_process_is_raised() -> None:
    with worker_process("json"), pytest.raises(DataError, match="not fit"):
        side_by_side(refuse, [(), ()])


@pytest.mark.slow
def test_processes_that_others_start_meanwhile_are_left_alone() -> None:
    with worker_process("json"):
        other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,), daemon=True)
        other.start()
        assert WorkerTask(whose, 7).result()[1] == 7
    try:
        assert other.is_alive()
    finally:
        other.terminate()
        other.join()


def test_an_error_arrives_as_it_was_raised() -> None:
    with worker_process(), pytest.raises(DataError, match="not fit to be used"):
        WorkerTask(refuse).result()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_death_of_the_second_process_changes_no_result(how: int) -> None:
    with worker_process():
        tasks = [WorkerTask(die_unless, os.getpid(), how) for _ in range(3)]
        assert [task.result() for task in tasks] == [os.getpid()] * 3
        assert WorkerTask(whose, 7).result() == (os.getpid(), 7)


def test_a_result_that_is_asked_for_too_late_is_computed() -> None:
    with worker_process():
        tasks = [WorkerTask(whose, number) for number in range(50)]
    assert [task.result()[1] for task in tasks] == list(range(50))


def test_where_no_process_can_be_started_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError("no shared memory")

    monkeypatch.setattr("accidents.worker_process.ProcessPoolExecutor", refused)
    with worker_process():
        assert WorkerTask(whose, 7).result() == (os.getpid(), 7)


def test_a_module_that_is_not_there_changes_no_result() -> None:
    with worker_process("no_such_module"):
        assert WorkerTask(whose, 7).result()[1] == 7


@pytest.mark.slow
def test_the_end_waits_for_no_import_and_no_task_and_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    program = """
        if __name__ == "__main__":
            import time
            from accidents.worker_process import WorkerTask, worker_process
            with worker_process("tqdm", "slow"):
                tasks = [WorkerTask(time.sleep, 60) for _ in range(3)]
                time.sleep(2)
        """
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    path = os.pathsep.join((str(PROJECT), str(tmp_path)))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=40,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_the_second_process_ends_with_the_first_whatever_ends_that(tmp_path: Path) -> None:
    program = """
        import os, signal, time
        if __name__ == "__main__":
            from accidents.worker_process import WorkerTask, worker_process
            with worker_process():
                print(WorkerTask(os.getpid).result(), flush=True)
                time.sleep(60)
        """
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    running = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py")],
        env={**os.environ, "PYTHONPATH": str(PROJECT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    child = int(running.stdout.readline())
    running.kill()
    running.wait()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.slow
@pytest.mark.parametrize("interpreter", [(), ("-m", "IPython")])
def test_a_script_without_a_main_guard_runs_once(tmp_path: Path, interpreter: tuple[str, ...]) -> None:
    program = """
        import os, sys
        print("first line", flush=True)
        from accidents.worker_process import WorkerTask, worker_process
        with worker_process("json"):
            main = sys.modules["__main__"]
            print(WorkerTask(os.getpid).result() != os.getpid(), main.__file__.endswith("program.py"), flush=True)
        """
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    done = subprocess.run(
        [sys.executable, *interpreter, str(tmp_path / "program.py")], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "IPYTHONDIR": str(tmp_path / "ipython")}, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "first line\nTrue True\n"), done.stderr
