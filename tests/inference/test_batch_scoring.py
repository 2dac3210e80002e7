"""Output files of batch scoring: atomic, exact in every format, and never in place of an input."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest

from accidents.bundle import Bundle
from accidents.columns import Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.inference import InferenceSettings
from accidents.errors import AccidentsError, ConfigurationError, DataError, SourceError
from accidents.inference.batch import ScoredBatch
from accidents.inference.batch_scoring import ScoringSummary, _predictions, score_accidents
from accidents.inference.output import SCHEMA, prediction_writer
from accidents.sources.edition import Edition
from tests.editions import Cells, as_text, write
from tests.inference.conftest import Whole, quiet

pytestmark = [pytest.mark.slow, pytest.mark.traced]

SETTINGS = InferenceSettings(chunk=1000, threads=1)


def run(source: Path | str, output: Path, bundle: Bundle) -> ScoringSummary:
    return score_accidents(str(source), str(output), bundle, SETTINGS, limits=DataQualityLimits(), progress=quiet)


def folder(edition: Edition) -> Path:
    return Path(edition.files[Table.LIEUX]).parent


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".jsonl":
        return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    return pd.read_csv(path, float_precision="round_trip")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_every_format_holds_the_predictions_to_the_last_bit(
    suffix: str, year: Edition, whole: Whole, bundle: Bundle, tmp_path: Path
) -> None:
    output = tmp_path / f"scores{suffix}"
    summary = run(folder(year), output, bundle)
    result = read(output)
    assert list(result) == SCHEMA.names
    np.testing.assert_array_equal(result["Num_Acc"], whole.ids)
    np.testing.assert_array_equal(result["probability"], whole.probabilities)
    priority = whole.probabilities >= bundle.threshold
    np.testing.assert_array_equal(result["prediction"], priority)
    assert result["interpretation"].tolist() == ["Priority" if one else "Non-Priority" for one in priority]
    assert set(result["threshold"]) == {bundle.threshold}
    assert set(result["model_type"]) == {"lightgbm"}
    assert set(result["share_known"]) == {1}  # what a file leaves empty is known not to be recorded
    assert asdict(summary) == {
        "output": str(output),
        "scored": len(whole.ids),
        "priority": int(priority.sum()),
        "rejected": 0,
        "derived": 0,
        "rejected_file": None,
        "model_type": "lightgbm",
        "threshold": bundle.threshold,
    }
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


def test_addresses_are_scored_like_paths(
    year_files: dict[Table, bytes], whole: Whole, bundle: Bundle, tmp_path: Path
) -> None:
    memory = fsspec.filesystem("memory")
    for table, content in year_files.items():
        memory.pipe(f"/baac/2024/{table}.csv", content)
    memory.pipe("/some.jsonl", b'{"mois": 5, "an": 2024}\n')
    run("memory://baac/2024", tmp_path / "scores.parquet", bundle)
    np.testing.assert_array_equal(read(tmp_path / "scores.parquet")["probability"], whole.probabilities)
    assert run("memory://some.jsonl", tmp_path / "some.csv", bundle).scored == 1
    with pytest.raises(SourceError, match="memory://nothing"):
        run("memory://nothing", tmp_path / "scores.csv", bundle)
    with pytest.raises(DataError, match=r"nothing\.csv: cannot be read"):
        run("memory://nothing.csv", tmp_path / "scores.csv", bundle)


def test_rejected_rows_are_listed_beside_the_output_and_an_old_list_is_deleted(
    cells: Cells, year: Edition, bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    people = cells[Table.USAGERS].copy()
    people.loc[people.index[0], "id_vehicule"] = "1"
    broken = write(tmp_path / "broken", year_files | {Table.USAGERS: as_text(people)}, 2024)
    output = tmp_path / "scores.csv"
    listing = tmp_path / "scores.csv.rejected.csv"
    summary = run(folder(broken), output, bundle)
    with listing.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert summary.rejected_file == str(listing)
    assert summary.rejected == len(rows)
    assert {int(row["Num_Acc"]) for row in rows} == {int(people["Num_Acc"].iloc[0])}
    assert {row["file"] for row in rows} == {f"{table}.csv" for table in Table}
    assert summary.scored == 1199
    run(folder(year), output, bundle)
    assert not listing.exists()


def test_an_interrupted_run_leaves_everything_as_it_was(year: Edition, bundle: Bundle, tmp_path: Path) -> None:
    output = tmp_path / "scores.csv"
    output.write_text("as it was")

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_accidents(
            str(folder(year)), str(output), bundle, SETTINGS, limits=DataQualityLimits(), progress=interrupt
        )
    assert output.read_text() == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_inputs_and_outputs_that_cannot_be_used_are_named(year: Edition, bundle: Bundle, tmp_path: Path) -> None:
    def refused(source: Path | str, output: Path | str, message: str, kind: type[AccidentsError]) -> None:
        with pytest.raises(kind, match=message):
            run(source, Path(output), bundle)

    rows = tmp_path / "rows.csv"
    rows.write_text("place,catu\n1,1\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    source = folder(year)
    refused(tmp_path / "nothing.csv", tmp_path / "out.csv", "nothing.csv: there is no such file", SourceError)
    refused(empty, tmp_path / "out.csv", "no BAAC file", SourceError)
    refused(source, tmp_path / "out.xlsx", r"out.xlsx: unknown extension.*\.parquet, \.jsonl", ConfigurationError)
    refused(year.files[Table.LIEUX], tmp_path / "out.csv", "one of the four BAAC files", ConfigurationError)
    (tmp_path / "rows.txt").write_text("")
    refused(tmp_path / "rows.txt", tmp_path / "out.csv", r"rows.txt: unknown extension.*\.jsonl", ConfigurationError)
    refused(source, tmp_path / "no" / "out.csv", "there is no folder", ConfigurationError)
    refused(source, empty / ".." / "empty.csv" / "x.csv", "there is no folder", ConfigurationError)
    refused(rows, rows, "would be overwritten", ConfigurationError)
    refused(rows, empty / ".." / "rows.csv", "would be overwritten", ConfigurationError)
    refused(source, year.files[Table.LIEUX], "would be overwritten", ConfigurationError)
    listing = tmp_path / "out.csv.rejected.csv"
    listing.write_text("place\n1\n")
    refused(listing, tmp_path / "out.csv", "would be overwritten", ConfigurationError)
    (tmp_path / "folder.csv").mkdir()
    refused(source, tmp_path / "folder.csv", "is a folder", ConfigurationError)


def test_a_folder_without_the_right_to_write_is_named(
    year: Edition, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # the rights of the file system do not bind root
    with pytest.raises(ConfigurationError, match="cannot be written to"):
        run(folder(year), tmp_path / "out.csv", bundle)


def test_whoever_reads_an_old_output_keeps_it_whole(year: Edition, bundle: Bundle, tmp_path: Path) -> None:
    output = tmp_path / "scores.csv"
    output.write_text("as it was")
    with output.open() as reader:
        run(folder(year), output, bundle)
        assert reader.read() == "as it was"
    assert output.read_text().startswith("Num_Acc,")


@pytest.mark.parametrize(("name", "content"), [("x.csv", "place,catu\n"), ("x.jsonl", "\n"), ("x.csv", "")])
def test_a_file_without_accidents_is_refused(name: str, content: str, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=f"{name}: no accident in it"):
        run(tmp_path / name, tmp_path / "out.csv", bundle)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_a_batch_without_accidents_adds_no_row(suffix: str, bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / f"scores{suffix}"
    one = ScoredBatch(np.array([202400000001]), np.array([0.7]), np.array([1.0]))
    empty = ScoredBatch(np.empty(0, np.int64), np.empty(0), np.empty(0))
    with prediction_writer(path) as write:
        for batch in (empty, one, empty):
            write(_predictions(batch, bundle), [])
    assert read(path)["Num_Acc"].tolist() == [202400000001]
