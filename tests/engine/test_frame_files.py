"""Frames that workers read and write: what a function gives does not depend on who reads and writes its frames."""

import weakref
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accidents.engine import frame_files
from accidents.engine.frame_files import AccidentFrames, FrameFile, call_with_frames, read_frame, write_probe
from accidents.errors import DataError
from accidents.tables import Accidents
from materializers.preview import preview

FRAME = pd.DataFrame({"a": [1, 2, 3]})


def positive() -> pa.DataFrameSchema:
    return pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0))})


def doubled(frame: pd.DataFrame, *, times: int = 2) -> pd.DataFrame:
    return frame * times


def described(accidents: Accidents, frame: pd.DataFrame) -> tuple[pd.DataFrame, str, bool]:
    return accidents.vehicles, f"{len(accidents.accidents)} accidents", frame is accidents.accidents


def file_of(frame: pd.DataFrame, path: Path) -> FrameFile:
    return FrameFile(str(path)).write(frame, preview)


@given(values=st.lists(st.integers(1, 2**31), min_size=1))
@pytest.mark.slow
def test_a_function_gives_what_it_gives_for_frames(tmp_path_factory: pytest.TempPathFactory, values: list[int]) -> None:
    folder, frame = tmp_path_factory.mktemp("frames"), pd.DataFrame({"a": values})
    output = FrameFile(str(folder / "out.parquet"), "out")
    written = call_with_frames(doubled, [output], preview, file_of(frame, folder / "in.parquet"), times=3)
    expected = doubled(frame, times=3)
    assert written.shape == expected.shape
    assert written.page == preview(expected)
    pd.testing.assert_frame_equal(written.read(), expected)
    pd.testing.assert_frame_equal(read_frame(FrameFile(output.location)), expected)


def test_only_the_first_results_are_written_and_a_file_is_read_once(tmp_path: Path) -> None:
    files = [file_of(FRAME.head(rows), tmp_path / f"{rows}.parquet") for rows in (3, 2, 1)]
    output = FrameFile(str(tmp_path / "out.parquet"))
    written, text, is_same = call_with_frames(described, [output], preview, AccidentFrames(*files), files[0])
    assert (written.shape, text, is_same) == ((2, 1), "3 accidents", True)
    assert call_with_frames(described, [], preview, AccidentFrames(*files), files[0])[0].equals(FRAME.head(2))


def test_whoever_reads_or_writes_a_frame_checks_its_schema(tmp_path: Path) -> None:
    wrong, target = pd.DataFrame({"a": [1, -1]}), tmp_path / "out.parquet"
    with pytest.raises(DataError, match=r"(?s)the frame 'numbers' breaks its schema.*greater_than"):
        FrameFile(str(target), "numbers", positive).write(wrong, preview)
    assert not target.exists()
    written = file_of(wrong, target)
    with pytest.raises(DataError, match="the frame 'numbers' breaks its schema"):
        call_with_frames(doubled, [], preview, replace(written, name="numbers", schema=positive))
    assert written.read().equals(wrong)


def test_a_process_says_why_it_cannot_write(tmp_path: Path) -> None:
    assert write_probe(str(tmp_path / "probe")) == write_probe(f"file://{tmp_path}/probe") == ""
    assert "FileNotFoundError" in write_probe(str(tmp_path / "missing" / "probe"))
    assert "ValueError: Protocol not known: unknown" in write_probe("unknown://store/probe")


def test_frames_are_free_before_memory_is_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, alive = [], []

    def made() -> pd.DataFrame:
        frame = FRAME.copy()
        frames.append(weakref.ref(frame))
        return frame

    monkeypatch.setattr(frame_files, "release_memory", lambda: alive.append(frames[0]() is not None))
    call_with_frames(made, [FrameFile(str(tmp_path / "out.parquet"))], preview)
    assert alive == [False]
