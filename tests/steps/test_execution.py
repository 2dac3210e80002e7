"""Where the frames of a step go: to the workers that see the artifact store, else through this process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.engine import Engine, WorkerLostError
from accidents.engine.frame_files import AccidentFrames, FrameFile
from accidents.engine.local import LocalEngine
from accidents.tables import Accidents
from materializers.frame import frame_location
from materializers.preview import preview
from steps import execution
from steps.execution import run

FRAME = pd.DataFrame({"a": [1, 2, 3]})


class TwoWorkers(LocalEngine):
    """Two workers that are this process; the second writes elsewhere, or is lost a number of times."""

    is_remote = True
    workers = ("here", "there")

    def __init__(self, replaced: Callable[[str], str], lost: int = 0) -> None:
        self.replaced, self.lost, self.messages = replaced, lost, list[str]()

    def call_together(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        self.lost -= 1
        if self.lost >= 0:
            raise WorkerLostError("a worker was lost")
        return [function(arguments[0][0]), function(self.replaced(arguments[1][0]))]

    def report(self, message: str) -> None:
        self.messages.append(message)


def doubled(
    frame: pd.DataFrame, accidents: Accidents, *, engine: Engine | None = None
) -> tuple[pd.DataFrame, Engine | None]:
    assert accidents.people.equals(FRAME)
    return frame * 2, engine


def called(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The result of a call in a step whose artifact `out` is in the folder."""

    @contextmanager
    def connect(_: EngineSettings) -> Iterator[Engine]:
        yield engine

    monkeypatch.setattr(execution, "_seen", {})
    monkeypatch.setattr(execution, "connect", connect)
    monkeypatch.setattr(execution, "inside_pipeline", lambda: True)
    monkeypatch.setattr(execution, "_artifact_store", lambda: str(folder))
    context = SimpleNamespace(get_output_artifact_uri=lambda name: f"{folder}/{name}")
    monkeypatch.setattr(execution, "get_step_context", lambda: context)
    file = FrameFile(str(folder / "in.parquet")).write(FRAME, preview)
    frames = AccidentFrames(file, FRAME, file)
    frame, given = run(EngineSettings(kind="dask"), doubled, file, frames, outputs={"out": None}, takes_engine=True)
    assert given is engine
    return frame


@pytest.mark.parametrize("lost", [0, 3])
def test_workers_that_see_the_store_write_the_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    engine = TwoWorkers(lambda probe: probe, lost)
    written = called(engine, tmp_path, monkeypatch)
    assert written.location == frame_location(f"{tmp_path}/out")
    assert written.read().equals(FRAME * 2)
    assert engine.messages == []
    assert {path.name for path in tmp_path.iterdir()} == {"in.parquet", "out"}


@pytest.mark.parametrize("fault", ["another disk", "no rights", "lost"])
def test_frames_pass_through_this_process_where_a_worker_does_not_see_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    engine, reason = {
        "another disk": (TwoWorkers(lambda _: str(tmp_path / "elsewhere")), "(nothing at "),
        "no rights": (TwoWorkers(lambda probe: f"{probe}/x/y"), "(FileNotFoundError: "),
        "lost": (TwoWorkers(lambda probe: probe, 4), "(a worker was lost)"),
    }[fault]
    assert called(engine, tmp_path, monkeypatch).equals(FRAME * 2)
    assert reason in engine.messages[0]
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob("probe-*"))


def test_in_one_process_files_are_read(tmp_path: Path) -> None:
    file = FrameFile(str(tmp_path / "in.parquet")).write(FRAME, preview)
    assert run(LOCAL_ENGINE, doubled, file, AccidentFrames(file, file, FRAME))[0].equals(FRAME * 2)
