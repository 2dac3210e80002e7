"""`run.py fetch`: the files of a source, generated once, and the manifest that lists them."""

import json
from pathlib import Path

import pytest

from accidents.sources.edition import fingerprint
from accidents.sources.folder import folder_editions
from cli.exit_codes import DONE, FAILED, USAGE_ERROR
from cli.main import main
from tests.pipelines.conftest import configure


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """Options of a small synthetic year whose files are in a folder of the test."""
    return configure(
        tmp_path, ingestion={"source": {"data_folder": str(tmp_path / "raw"), "sample": {"accidents": 200}}}
    )


def test_files_are_generated_once_and_listed(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", *options]) == DONE
    *lines, last = capsys.readouterr().out.splitlines()[-5:]
    files = [Path(line.split(" ", 2)[2]) for line in lines]
    assert [line.split()[1] for line in lines] == ["caracteristiques", "lieux", "vehicules", "usagers"]
    made = [file.stat().st_mtime_ns for file in files]
    manifest = json.loads((tmp_path / "raw" / "manifest.json").read_text())
    assert [entry["file"] for entry in manifest["files"]] == [str(file) for file in files]
    assert last == f"fingerprint {manifest['fingerprint']}"
    assert main(["fetch", *options]) == DONE
    assert [file.stat().st_mtime_ns for file in files] == made
    capsys.readouterr()
    assert main(["fetch", *options, "--source", str(files[0].parent)]) == DONE
    assert capsys.readouterr().out.splitlines()[-1] == last
    assert fingerprint(folder_editions(str(files[0].parent), None)) == manifest["fingerprint"]


def test_years_of_the_command_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", *options, "--years", "2020", "2021"]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line[:4] for line in lines if line[:2] == "20"] == ["2020"] * 4 + ["2021"] * 4


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--source", "/nowhere"], FAILED, "/nowhere: there is no such folder"),
        (["--years", "soon"], USAGE_ERROR, "--years"),
        (["--years", "2098"], USAGE_ERROR, "is not over"),
    ],
)
def test_what_cannot_be_fetched(
    tmp_path: Path,
    options: list[str],
    arguments: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fetch", *options, *arguments]) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "raw" / "manifest.json").exists()
