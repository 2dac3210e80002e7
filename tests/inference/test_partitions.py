"""Partitions of accidents, CSV or Parquet: one output each, and an interrupted scoring goes on where it was."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from accidents.bundle import Bundle
from accidents.columns import Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.inference import InferenceSettings
from accidents.errors import AccidentsError, ConfigurationError, DataError, SourceError
from accidents.inference.batch_scoring import ScoringSummary, score_accidents
from tests.inference.conftest import ACCIDENTS, Whole, quiet

pytestmark = pytest.mark.slow

SETTINGS = InferenceSettings(chunk=1000, threads=1)


def run(source: Path, output: Path, bundle: Bundle, progress: object = quiet) -> ScoringSummary:
    limits = DataQualityLimits()
    return score_accidents(str(source), str(output), bundle, SETTINGS, limits=limits, progress=progress)  # type: ignore[arg-type]


@pytest.fixture
def partitions(year_files: dict[Table, bytes], tmp_path: Path) -> Path:
    """The same year twice, as CSV and as Parquet, and two accidents in the flat form."""
    source = tmp_path / "source"
    for name in ("csv", "parquet"):
        (source / name).mkdir(parents=True)
        for table, content in year_files.items():
            if name == "csv":
                (source / name / f"{table}-2024.csv").write_bytes(content)
            else:
                frame = pd.read_csv(io.BytesIO(content), sep=";", dtype={"com": str, "dep": str}, skipinitialspace=True)
                frame.to_parquet(source / name / f"{table}-2024.parquet")
    pd.DataFrame({"Num_Acc": [202400000001, 202400000002], "mois": [5, 6]}).to_parquet(source / "flat.parquet")
    return source


def test_every_partition_has_an_output_with_the_same_predictions(
    partitions: Path, whole: Whole, bundle: Bundle, tmp_path: Path
) -> None:
    output = tmp_path / "scores"
    summary = run(partitions, output, bundle)
    assert sorted(path.name for path in output.glob("*.parquet")) == ["csv.parquet", "flat.parquet", "parquet.parquet"]
    for name in ("csv", "parquet"):
        result = pd.read_parquet(output / f"{name}.parquet")
        np.testing.assert_array_equal(result["Num_Acc"], whole.ids)
        np.testing.assert_array_equal(result["probability"], whole.probabilities)
    assert summary.scored == 2 * ACCIDENTS + 2
    assert summary.output == str(output)


def test_finished_partitions_are_kept_until_model_or_input_changes(
    partitions: Path, bundle: Bundle, tmp_path: Path
) -> None:
    output, lines = tmp_path / "scores", list[str]()
    first = run(partitions, output, bundle)
    assert run(partitions, output, bundle, lines.append) == first
    assert [line.partition(",")[0] for line in lines] == [f"{n}: finished before" for n in ("csv", "flat", "parquet")]
    pd.DataFrame({"mois": [1, 2, 3]}).to_parquet(partitions / "flat.parquet")
    lines.clear()
    assert run(partitions, output, bundle, lines.append).scored == first.scored + 1
    assert len([line for line in lines if "finished before" in line]) == 2
    record = output / "csv.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"fingerprint": "of another model"}))
    lines.clear()
    run(partitions, output, bundle, lines.append)
    assert len([line for line in lines if "finished before" in line]) == 2


def test_an_interrupted_scoring_goes_on_and_has_each_accident_once(
    partitions: Path, whole: Whole, bundle: Bundle, tmp_path: Path
) -> None:
    output = tmp_path / "scores"

    def interrupt(line: str) -> None:
        if line.startswith("2024") and (output / "flat.json").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(partitions, output, bundle, interrupt)
    assert sorted(path.name for path in output.iterdir()) == ["csv.json", "csv.parquet", "flat.json", "flat.parquet"]
    lines: list[str] = []
    run(partitions, output, bundle, lines.append)
    assert len([line for line in lines if "finished before" in line]) == 2
    ids = pd.concat([pd.read_parquet(output / f"{name}.parquet") for name in ("csv", "parquet")])["Num_Acc"]
    np.testing.assert_array_equal(ids, np.tile(whole.ids, 2))


def test_what_is_no_folder_of_partitions_is_refused(partitions: Path, bundle: Bundle, tmp_path: Path) -> None:
    def refused(source: Path, error: type[AccidentsError], message: str) -> None:
        with pytest.raises(error, match=message):
            run(source, tmp_path / "scores", bundle)

    refused(partitions / "flat.parquet", SourceError, "no such local folder")
    refused(partitions / "csv", SourceError, "no partitions in it")
    (partitions / "csv" / "lieux-2024.csv").unlink()
    refused(partitions, SourceError, "missing lieux")
    (partitions / "parquet.csv").write_text("mois\n5\n")
    refused(partitions, ConfigurationError, "two partitions are named parquet")


def test_a_damaged_parquet_table_is_named(partitions: Path, bundle: Bundle, tmp_path: Path) -> None:
    (partitions / "parquet" / "lieux-2024.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"lieux-2024\.parquet.*cannot be read"):
        run(partitions / "parquet", tmp_path / "scores.csv", bundle)
