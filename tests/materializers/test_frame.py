from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes

from accidents.engine.frame_files import FrameFile
from benchmarks.materializers import local_store
from materializers.frame import FrameMaterializer, frame_location, load_frame
from materializers.preview import preview


def materializer_at(folder: Path) -> FrameMaterializer:
    return FrameMaterializer(uri=str(folder), artifact_store=local_store(folder))


def stored(frame: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, FrameMaterializer]:
    materializer = materializer_at(folder)
    materializer.save(frame)
    return materializer_at(folder).load(pd.DataFrame), materializer


FRAMES = {
    "codes": pd.DataFrame({"lum": np.array([1, -1], dtype="int16"), "Num_Acc": np.array([1, 2], dtype="int64")}),
    "texts": pd.DataFrame({"dep": pd.array(["2A", None], dtype="str"), "lat": [48.5, np.nan]}),
    "features": pd.DataFrame({"x": np.array([1.5, np.nan], dtype="float32")}),
    "index": pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 9], name="Num_Acc")),
    "empty": pd.DataFrame({"a": np.array([], dtype="int16"), "t": pd.array([], dtype="str")}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    loaded, _ = stored(FRAMES[name], tmp_path)
    pd.testing.assert_frame_equal(loaded, FRAMES[name], check_exact=True)


@settings(max_examples=25, deadline=None)
@given(
    data_frames(
        [
            column("code", dtype="int16"),
            column("number", dtype="float64", elements=st.floats(allow_nan=True, width=64)),
            column("text", elements=st.text(st.characters(exclude_categories=("Cs",))), dtype=object),
        ],
        index=range_indexes(max_size=20),
    )
)
def test_any_frame_comes_back(tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame) -> None:
    frame = frame.astype({"text": "str"})
    loaded, _ = stored(frame, tmp_path_factory.mktemp("frame"))
    pd.testing.assert_frame_equal(loaded, frame, check_exact=True)


def test_a_step_alone_takes_the_file_that_a_worker_has_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, materializer = FRAMES["codes"], materializer_at(tmp_path)
    written = FrameFile(frame_location(str(tmp_path))).write(frame, preview)
    materializer.save(written)
    _, of_frame = stored(frame, tmp_path / "other")
    assert materializer.extract_metadata(written) == of_frame.extract_metadata(frame)
    assert materializer.pages(written) == of_frame.pages(frame)
    pd.testing.assert_frame_equal(materializer.load(FrameFile), frame, check_exact=True)
    monkeypatch.setattr("materializers.frame.get_step_context", lambda: None)
    loaded = materializer.load(FrameFile)
    assert loaded == FrameFile(written.location)
    pd.testing.assert_frame_equal(load_frame(loaded), frame, check_exact=True)
    pd.testing.assert_frame_equal(materializer.load(pd.DataFrame), frame, check_exact=True)


def test_a_frame_that_is_not_in_the_store_is_no_artifact(tmp_path: Path) -> None:
    elsewhere = FrameFile(frame_location(str(tmp_path / "elsewhere"))).write(FRAMES["codes"], preview)
    with pytest.raises(ValueError, match="no worker has written the frame"):
        materializer_at(tmp_path / "other").save(elsewhere)
    Path(elsewhere.location).unlink()
    with pytest.raises(ValueError, match="no worker has written the frame"):
        materializer_at(tmp_path / "elsewhere").save(elsewhere)


def test_what_a_step_does_to_a_frame_does_not_reach_the_next_one(tmp_path: Path) -> None:
    first, materializer = stored(FRAMES["codes"], tmp_path)
    first.loc[0, "lum"] = 7
    first["new"] = 1
    pd.testing.assert_frame_equal(materializer.load(pd.DataFrame), FRAMES["codes"], check_exact=True)
    materializer.save(FRAMES["features"])
    pd.testing.assert_frame_equal(materializer.load(pd.DataFrame), FRAMES["features"], check_exact=True)


def test_equal_frames_have_one_hash_and_others_another(tmp_path: Path) -> None:
    _, one = stored(FRAMES["codes"], tmp_path)
    same = FRAMES["codes"].copy()
    assert one.compute_content_hash(same) == materializer_at(tmp_path).compute_content_hash(same)
    other = materializer_at(tmp_path).compute_content_hash(FRAMES["codes"].iloc[::-1])
    assert other != one.compute_content_hash(same)


def test_metadata_tell_size_and_checksum(tmp_path: Path) -> None:
    _, materializer = stored(FRAMES["codes"], tmp_path)
    metadata = materializer.extract_metadata(FRAMES["codes"])
    assert (metadata["rows"], metadata["columns"]) == (2, 2)
    assert len(metadata["sha256"]) == 64


def test_the_preview_shows_schema_missing_values_and_escapes_text() -> None:
    page = preview(pd.DataFrame({"<b>": [1.0, None], "t": ["<script>", "x"]}))
    assert "2 rows, 2 columns" in page
    assert "float64" in page
    assert "<td>t</td><td>str</td>" in page
    assert ">50<" in page
    assert "<script>" not in page


def test_a_frame_that_is_a_table_to_read_begins_with_its_rows_and_a_large_one_with_its_schema() -> None:
    small, large = (preview(pd.DataFrame({"check": ["far"] * rows})) for rows in (3, 21))
    assert small.index("<td>far</td>") < small.index("missing %")
    assert large.index("missing %") < large.index("<td>far</td>")
    assert "First rows" not in preview(pd.DataFrame({"check": pd.Series([], dtype=str)}))


def test_missing_values_are_shown_as_nothing_and_names_may_be_there_twice() -> None:
    page = preview(pd.DataFrame([[None, 1.5, float("nan")]], columns=["a", "b", "b"]))
    assert "<td></td><td class=number>1.5</td><td class=number></td>" in page


def test_codes_that_stand_for_nothing_count_as_missing_and_other_numbers_do_not() -> None:
    codes = pd.DataFrame({"lum": [-1, 1, -1, 2] * 10, "offset": [-1, 1, -1, 2] * 10})
    page = preview(codes)
    assert "<td>lum</td><td>int64</td><td class=number>20</td><td class=number>50</td>" in page
    assert "<td>offset</td><td>int64</td><td class=number>0</td>" in page
