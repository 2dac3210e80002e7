"""Scoring of one file: each row has the prediction of a single request, and rejected rows are listed."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from accidents.bundle import Bundle
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.inference import InferenceSettings
from accidents.errors import DataError
from accidents.inference.batch_scoring import ScoringSummary, score_accidents
from accidents.inference.files import score_file
from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request
from tests.inference.conftest import quiet


def accident(number: int) -> dict[str, Any]:
    """An accident in the flat form; each number another one."""
    return {
        "an": 2024,
        "mois": 1 + number % 12,
        "jour": 1 + number % 28,
        "hrmn": f"{number % 24:02d}:30",
        "lum": 1 + number % 5,
        "dep": "2A" if number % 7 == 0 else f"{1 + number % 19:02d}",
        "agg_": 1 + number % 2,
        "col": 1 + number % 7,
        "catr": (1, 3, 4)[number % 3],
        "vma": (50, 80, 130)[number % 3],
        "catv": (7, 33, 1)[number % 3],
        "catu": 1,
        "place": 1,
        "an_nais": 1940 + number % 80,
        "nb_vehicules": 1 + number % 3,
        "nb_victim": 2,
    }


ACCIDENTS = [accident(number) for number in range(40)]


def alone(content: Any, bundle: Bundle) -> float:
    return predict_accident(bundle, parse_request(content), reasons=0).probability


def run(source: Path, bundle: Bundle) -> tuple[ScoringSummary, pd.DataFrame]:
    output = source.with_name("scores.parquet")
    settings = InferenceSettings(chunk=1000, threads=1)
    summary = score_accidents(str(source), str(output), bundle, settings, limits=DataQualityLimits(), progress=quiet)
    return summary, pd.read_parquet(output)


def write_json_lines(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_csv(path: Path, separator: str = ",", encoding: str = "utf-8") -> Path:
    pd.DataFrame(ACCIDENTS).to_csv(path, index=False, sep=separator, encoding=encoding)
    return path


def test_json_lines_csv_and_parquet_give_what_each_accident_gives_alone(bundle: Bundle, tmp_path: Path) -> None:
    expected = [alone(content, bundle) for content in ACCIDENTS]
    pd.DataFrame(ACCIDENTS).to_parquet(tmp_path / "a.parquet")
    sources = {
        write_json_lines(tmp_path / "a.jsonl", [json.dumps(content) for content in ACCIDENTS]): 1,
        write_csv(tmp_path / "a.csv"): 2,
        write_csv(tmp_path / "b.csv", ";", "utf-8-sig"): 2,
        write_csv(tmp_path / "c.csv", "\t"): 2,
        tmp_path / "a.parquet": 1,
    }
    assert len(set(expected)) > 10
    for source, first in sources.items():
        summary, result = run(source, bundle)
        assert (summary.scored, summary.rejected) == (40, 0)
        np.testing.assert_array_equal(result["Num_Acc"], np.arange(first, first + 40))
        np.testing.assert_array_equal(result["probability"], expected)


@pytest.mark.parametrize("chunk", [1, 7, 39, 1000])
def test_the_size_of_batches_changes_nothing(chunk: int, bundle: Bundle, tmp_path: Path) -> None:
    source = write_json_lines(tmp_path / "a.jsonl", [json.dumps(content) for content in ACCIDENTS])
    result = list(score_file(str(source), bundle, chunk_size=chunk, threads=1, progress=quiet))
    assert len(result) == -(-40 // chunk)
    probabilities = np.concatenate([batch.probabilities for batch in result])
    np.testing.assert_array_equal(probabilities, [alone(content, bundle) for content in ACCIDENTS])


def test_an_accident_with_an_id_bears_it(bundle: Bundle, tmp_path: Path) -> None:
    nested = {
        "accident": {"Num_Acc": 202400000007, "mois": 5, "an": 2024},
        "vehicles": [{"catv": 7}],
        "people": [{"catu": 1}],
    }
    flat = ACCIDENTS[0] | {"Num_Acc": 202400000003}
    source = write_json_lines(tmp_path / "a.jsonl", [json.dumps(one) for one in (nested, flat, ACCIDENTS[1])])
    _, result = run(source, bundle)
    assert result["Num_Acc"].tolist() == [202400000007, 202400000003, 3]


def test_rejected_lines_are_listed_and_the_others_scored(bundle: Bundle, tmp_path: Path) -> None:
    lines = [
        json.dumps(ACCIDENTS[0]),
        "{this is no JSON",
        "",
        json.dumps(ACCIDENTS[1] | {"lum": 9, "mois": 13}),
        "[" * 100_000,
        '"a text"',
        json.dumps(ACCIDENTS[2]),
    ]
    summary, result = run(write_json_lines(tmp_path / "a.jsonl", lines), bundle)
    assert result["Num_Acc"].tolist() == [1, 7]
    assert (summary.scored, summary.rejected) == (2, 4)
    with Path(str(summary.rejected_file)).open(newline="") as file:
        rows = {int(row["row"]): row for row in csv.DictReader(file)}
    assert list(rows) == [2, 4, 5, 6]
    assert "no JSON" in rows[2]["reason"]
    assert rows[2]["content"] == "{this is no JSON"
    assert rows[5]["content"] == "[" * 1000
    assert "lum: 9" in rows[4]["reason"]
    assert "1 daylight" in rows[4]["reason"]
    assert "mois: 13" in rows[4]["reason"]
    assert "object" in rows[6]["reason"]
    assert {row["file"] for row in rows.values()} == {"a.jsonl"}


def test_rows_of_another_length_are_listed(bundle: Bundle, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text('mois,an,catv\n5,2024,7\n5,2024\n6,"2024",7,1\n\n7,2024,33\n')
    summary, result = run(source, bundle)
    assert result["Num_Acc"].tolist() == [2, 6]
    with Path(str(summary.rejected_file)).open(newline="") as file:
        listed = [(row["row"], row["reason"]) for row in csv.DictReader(file)]
    assert listed == [("3", "2 fields; the header has 3"), ("4", "4 fields; the header has 3")]


def test_null_and_nan_in_parquet_are_missing(bundle: Bundle, tmp_path: Path) -> None:
    frame = pd.DataFrame({"mois": [5, 6], "an": [2024, 2024], "catv": [7, 7], "lat": [48.85, float("nan")]})
    frame.to_parquet(tmp_path / "a.parquet")
    _, result = run(tmp_path / "a.parquet", bundle)
    assert result["probability"][1] == alone({"mois": 6, "an": 2024, "catv": 7}, bundle)


def test_if_every_line_is_rejected_the_error_has_the_first_reason(bundle: Bundle, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("mois,colour\n5,red\n6,blue\n")
    with pytest.raises(DataError, match=r"a\.csv: no accident in it that can be scored; row 2: colour"):
        run(source, bundle)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"mois,mois\n1,1\n", "occur twice in the header: mois"),
        ("a.parquet", b"mois,an\n", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read_are_named(
    name: str, content: bytes, message: str, bundle: Bundle, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        run(tmp_path / name, bundle)
    assert name in str(caught.value)


def test_csv_files_saved_by_other_programs_are_scored_the_same(bundle: Bundle, tmp_path: Path) -> None:
    plain = "Num_Acc,mois,an,lum,v1\n202400000001,5,2024,1,e\n202400000002,6,2024,2,e\n"
    accented = plain.replace(",e\n", ",é\n")
    unnamed = "".join(f"{row},{line}\n" for row, line in zip(["", 0, 1], accented.splitlines(), strict=True))
    contents = [
        plain.encode(),
        accented.encode("latin-1"),
        accented.encode("cp850"),
        accented.encode("utf-8-sig"),
        accented.replace(",", "|").encode(),
        accented.replace("lum", "LUM").replace(",5,", ",5.0,").encode(),
        unnamed.encode(),
        accented.encode("utf-16"),
        f"sep=,\n{accented},,,,\n".replace("e\n", "e,,\n").replace("é\n", "é,,\n").encode(),
        accented.replace("202400000001", "'202.400.000.001").encode(),
        (accented + accented.splitlines()[0] + "\n").encode(),
    ]
    results = []
    for number, content in enumerate(contents):
        source = tmp_path / f"{number}.csv"
        source.write_bytes(content)
        batches = list(score_file(str(source), bundle, chunk_size=10, threads=1, progress=quiet))
        assert [row for batch in batches for row in batch.rejected] == []
        results.append([(batch.ids.tolist(), batch.probabilities.tolist()) for batch in batches])
    assert all(result == results[0] for result in results)


def test_progress_counts_the_accidents_so_far(bundle: Bundle, tmp_path: Path) -> None:
    source, messages = tmp_path / "three.jsonl", list[str]()
    source.write_text("".join(f"{json.dumps(one)}\n" for one in ACCIDENTS[:3]))
    list(score_file(str(source), bundle, chunk_size=2, threads=1, progress=messages.append))
    assert messages == ["three.jsonl: 2 accidents", "three.jsonl: 3 accidents"]


def test_facts_that_follow_from_others_are_derived_where_configured(bundle: Bundle, tmp_path: Path) -> None:
    contents = [{**content, "lum": None} for content in ACCIDENTS[:20]] + ACCIDENTS[20:]
    source = write_json_lines(tmp_path / "accidents.jsonl", [json.dumps(content) for content in contents])
    summary, scores = run(source, bundle)
    expected = [
        predict_accident(bundle, parse_request(content, derive=True), reasons=0).probability for content in contents
    ]
    assert scores["probability"].tolist() == expected
    assert summary.derived == 20
    settings = InferenceSettings(chunk=1000, threads=1, derive_facts=False)
    output = tmp_path / "plain.parquet"
    plain = score_accidents(str(source), str(output), bundle, settings, limits=DataQualityLimits(), progress=quiet)
    assert plain.derived == 0
    assert pd.read_parquet(output)["probability"].tolist() == [alone(content, bundle) for content in contents]
