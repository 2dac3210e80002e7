from pathlib import Path
from typing import Annotated
from uuid import uuid4

import pandas as pd
import pandera.pandas as pa
import pytest

from accidents.engine.frame_files import Frame, FrameFile, read_frame
from accidents.errors import DataError
from materializers.preview import preview
from steps.validation import validate_frames


def positive() -> pa.DataFrameSchema:
    return pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0)), "b": pa.Column(float)})


@validate_frames(good=positive)
def halve(good: pd.DataFrame, by: int) -> tuple[Annotated[pd.DataFrame, "good"], Annotated[int, "number"]]:
    return good.assign(a=good["a"] - by), by


FRAME = pd.DataFrame({"a": [2, 3, 4], "b": [0.5, 1.0, 2.0]})


def test_a_valid_frame_passes_unchanged() -> None:
    frame, number = halve(FRAME, by=1)
    assert number == 1
    assert frame["a"].tolist() == [1, 2, 3]


def test_a_frame_is_validated_once_for_each_artifact_and_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []

    def counted() -> pa.DataFrameSchema:
        checked.append(1)
        return positive()

    @validate_frames(good=counted)
    def take(good: pd.DataFrame) -> None:
        del good

    first, second = uuid4(), uuid4()
    for artifact in (first, first, second):
        monkeypatch.setattr("steps.validation.input_artifacts", lambda own=artifact: {"good": own})
        take(FRAME)
    assert len(checked) == 2
    monkeypatch.setattr("steps.validation.input_artifacts", lambda: {"good": uuid4()})
    with pytest.raises(DataError):
        take(pd.DataFrame({"a": [0], "b": [1.0]}))


def test_a_file_of_a_frame_takes_its_schema_along(tmp_path: Path) -> None:
    @validate_frames(good=positive)
    def take(good: Frame, other: Frame) -> Annotated[Frame, "good"]:
        assert read_frame(other)["a"].tolist() == [-1]
        read_frame(good)
        return good

    def file_of(a: int) -> FrameFile:
        return FrameFile(str(tmp_path / f"{a}.parquet")).write(pd.DataFrame({"a": [a], "b": [0.5]}), preview)

    assert read_frame(take(file_of(1), file_of(-1)))["a"].tolist() == [1]
    with pytest.raises(DataError, match="the frame 'good' breaks its schema"):
        take(file_of(-1), file_of(-1))


def test_all_failures_of_an_input_are_reported_at_once() -> None:
    with pytest.raises(DataError) as caught:
        halve(pd.DataFrame({"a": [0, -1], "b": ["x", "y"]}), by=1)
    message = str(caught.value)
    assert "'good'" in message
    assert "greater_than" in message
    assert "float64" in message
    assert "Traceback" not in message


def test_an_output_is_validated_under_its_annotated_name() -> None:
    with pytest.raises(DataError, match="'good'"):
        halve(FRAME, by=3)
