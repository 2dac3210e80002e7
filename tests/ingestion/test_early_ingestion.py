"""An ingestion that a worker process begins gives what the step would read, and only while the files are equal."""

from pathlib import Path

import pandas as pd
import pytest

from accidents import early_ingestion
from accidents.configuration.ingestion import IngestionSettings
from accidents.early_ingestion import begin_ingestion, begun_ingestion, ingest_and_check
from accidents.errors import DataError
from accidents.sample.writer import write_sample
from accidents.sources.edition import fingerprint
from accidents.sources.resolve import resolve_editions
from accidents.worker_process import worker_process

pytestmark = [pytest.mark.slow, pytest.mark.traced]


@pytest.fixture
def settings(tmp_path: Path) -> IngestionSettings:
    (tmp_path / "2023").mkdir()
    write_sample(tmp_path / "2023", accidents=200, year=2023)
    return IngestionSettings.model_validate({"source": {"location": str(tmp_path)}})


def now(settings: IngestionSettings) -> str:
    return fingerprint(resolve_editions(settings.source))


def test_the_result_is_that_of_an_ingestion_and_is_taken_once(settings: IngestionSettings) -> None:
    expected, checked = ingest_and_check(resolve_editions(settings.source), settings)
    with worker_process():
        begin_ingestion(settings)
        results = begun_ingestion(settings.model_copy(), now(settings))
    assert results is not None
    found = results[0]
    assert results[1].html == checked.html
    for name, frame in vars(expected.accidents).items():
        pd.testing.assert_frame_equal(vars(found.accidents)[name], frame, check_exact=True)
    assert found.counts == expected.counts
    assert begun_ingestion(settings, now(settings)) is None


def test_files_that_were_changed_are_read_again(settings: IngestionSettings, tmp_path: Path) -> None:
    with worker_process():
        begin_ingestion(settings)
        file = next((tmp_path / "2023").glob("*caract*"))
        before = now(settings)
        early_ingestion._begun[settings.model_dump_json()].result()
        file.write_bytes(file.read_bytes() + b"\n")
        assert now(settings) != before
        assert begun_ingestion(settings, now(settings)) is None


def test_the_error_of_bad_files_is_raised_where_the_result_is_taken(
    settings: IngestionSettings, tmp_path: Path
) -> None:
    file = next((tmp_path / "2023").glob("*caract*"))
    file.write_text("<html>not found</html>")
    with worker_process():
        begin_ingestion(settings)
        with pytest.raises(DataError) as caught:
            begun_ingestion(settings, now(settings))
    assert caught.value.report is not None
    assert file.name in str(caught.value)


def test_without_a_worker_process_or_a_folder_nothing_is_begun(settings: IngestionSettings) -> None:
    begin_ingestion(settings)
    assert begun_ingestion(settings, now(settings)) is None
    with worker_process():
        begin_ingestion(IngestionSettings())
        assert begun_ingestion(IngestionSettings(), "") is None


def test_large_files_are_left_to_the_step(settings: IngestionSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_ingestion, "_MOST_BYTES", 10)
    assert early_ingestion._ingest(settings) is None
