"""Reports of the ingestion, of valid and of refused data."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from accidents.reading.issues import REPORT_COLUMNS
from cli.exit_codes import DONE, FAILED
from cli.main import main
from tests.pipelines.conftest import configure

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reported")


@pytest.fixture(scope="module")
def chosen(outputs: Path) -> list[str]:
    """Arguments that read a small synthetic year and leave files in `outputs`."""
    return configure(
        outputs,
        ingestion={"source": {"data_folder": str(outputs / "data" / "raw"), "sample": {"accidents": 1500}}},
        training={"models_folder": str(outputs / "models"), "reports_folder": str(outputs / "reports")},
    )


@pytest.fixture
def reports(chosen: list[str], outputs: Path) -> Path:
    """Folder of the reports of a good run."""
    assert main(["--ingestion", *chosen]) == DONE
    return outputs / "reports" / "ingestion"


@pytest.fixture
def changed(reports: Path, outputs: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """Make a source whose table of people is changed line by line."""

    def change(how: Callable[[list[str]], list[str]]) -> list[str]:
        source = next((outputs / "data" / "raw" / "sample").glob("synthetic-*"))
        shutil.copytree(source, tmp_path / "source", ignore=shutil.ignore_patterns("[!a-z]*"))
        people = next((tmp_path / "source").glob("usagers*.csv"))
        people.write_text("".join(how(people.read_text().splitlines(keepends=True))))
        return ["--source", str(tmp_path / "source")]

    return change


def with_one_person_too_long(lines: list[str]) -> list[str]:
    return [*lines[:9], lines[9].replace("\n", ';"1"\n'), *lines[10:]]


def without_ids(lines: list[str]) -> list[str]:
    return [lines[0], *(line.replace("202400", "201700", 1) for line in lines[1:])]


def with_column(name: str, value: str, lines: list[str]) -> list[str]:
    place = [field.strip('"') for field in lines[0].strip().split(";")].index(name)
    rows = [line.rstrip("\n").split(";") for line in lines[1:]]
    return [lines[0], *(";".join([*row[:place], f'"{value}"', *row[place + 1 :]]) + "\n" for row in rows)]


def test_a_successful_run_writes_its_reports(
    reports: Path, chosen: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["--ingestion", *chosen]) == DONE
    shown = capsys.readouterr().out
    output = "".join(shown.split())
    report = pd.read_csv(reports / "validation_report.csv")
    assert tuple(report.columns) == REPORT_COLUMNS
    assert "a part of the year" in report["check"].iloc[0]
    assert "expectations are met" in (reports / "expectations.html").read_text()
    assert pd.read_csv(reports / "quarantine.csv").empty
    for name in ("validation_report.csv", "quarantine.csv", "expectations.html"):
        assert f"{reports}/{name}" in output
    for table in ("caracteristiques", "lieux", "vehicules", "usagers"):
        (line,) = [line for line in shown.splitlines() if line.startswith(f"│ {table}") and line.count("│") == 6]
        came_in, out, aside, not_chosen = (int(cell.replace(",", "")) for cell in line.split("│")[2:6])
        assert came_in == out + aside + not_chosen > 0


def test_quarantined_rows_are_listed_with_their_reason(
    reports: Path, chosen: list[str], changed: Callable[..., list[str]]
) -> None:
    assert main(["--features", *chosen, *changed(with_one_person_too_long)]) == DONE
    quarantine = pd.read_csv(reports / "quarantine.csv")
    assert "wrong number of fields" in set(quarantine["reason"])
    assert set(quarantine["Num_Acc"]) == {quarantine["Num_Acc"].iloc[0]}


def test_refused_data_replace_the_reports_of_an_earlier_run(
    reports: Path, chosen: list[str], changed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (reports / "quarantine.csv").exists()
    source = changed(without_ids)
    assert main(["--ingestion", *chosen, *source]) == FAILED
    assert f"Reports on the data: {reports}/validation_report.csv\n" in capsys.readouterr().err
    assert [path.name for path in reports.iterdir()] == ["validation_report.csv"]
    report = pd.read_csv(reports / "validation_report.csv")
    assert report["action"].iloc[0] == "stopped"
    assert report["first_values"].iloc[0].startswith("201700")


def test_implausible_data_write_the_expectations_report(
    reports: Path, chosen: list[str], changed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    source = changed(lambda lines: with_column("grav", "4", lines))
    assert main(["--ingestion", *chosen, *source]) == FAILED
    output = capsys.readouterr().err
    assert "is not plausible" in output
    assert "- 2024, Label, people killed (usagers, column grav): 0 %, expected 0.5 % to 8 %" in output
    assert "Use complete official files" in output
    assert f"{reports}/validation_report.csv, {reports}/expectations.html" in output
    stopped = pd.read_csv(reports / "validation_report.csv").query("action == 'stopped'")
    assert stopped["check"].str.contains("people killed: 0 %, expected 0.5 % to 8 %").any()
    assert "stop the run" in (reports / "expectations.html").read_text()


def test_with_debug_the_report_is_written_too(
    reports: Path, chosen: list[str], changed: Callable[..., list[str]]
) -> None:
    source = changed(lambda lines: with_column("sexe", "7", lines))
    with pytest.raises(Exception, match=r"(?i)failed"):
        main(["--ingestion", *chosen, *source, "--debug"])
    assert pd.read_csv(reports / "validation_report.csv")["action"].iloc[0] == "stopped"
