"""`python run.py convert` and `python run.py export`."""

import json
from pathlib import Path

import pandas as pd
import pytest

from accidents.bundle import Bundle
from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request
from cli.main import main
from tests.bundle.test_legacy import old_file
from tests.conftest import PROJECT
from tests.trained import small_models

FLAT = json.loads((PROJECT / "examples" / "classic_flat.json").read_text())


@pytest.fixture
def old(tmp_path: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        content = old_file(small_models()["lightgbm"].trained.bundle, patch)
    path = tmp_path / "lightgbm_model.joblib"
    path.write_bytes(content)
    return path


def test_an_older_file_is_converted_beside_itself(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = old.read_bytes()
    assert main(["convert", str(old)]) == 0
    new = old.with_suffix(".zip")
    assert capsys.readouterr().out == f"{old} -> {new}\n"
    assert Bundle.load(new).metadata() == small_models()["lightgbm"].trained.bundle.metadata()
    assert old.read_bytes() == before


def test_predicting_with_an_older_file_names_the_command(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--predict", str(PROJECT / "examples" / "low_risk.json"), "--model-path", str(old)]
    assert main(arguments) == 1
    assert f"python run.py convert {old}" in capsys.readouterr().err
    assert main(["convert", str(old)]) == 0
    assert main([*arguments[:-1], str(old.with_suffix(".zip"))]) == 0


def test_nothing_is_overwritten(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old.with_suffix(".zip").write_bytes(b"mine")
    assert main(["convert", str(old)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert old.with_suffix(".zip").read_bytes() == b"mine"


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), (b"PK", "nothing to convert")])
def test_what_cannot_be_converted_is_named(
    content: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.joblib"
    if content is not None:
        path.write_bytes(content)
    assert main(["convert", str(path)]) == 1
    assert f"{path}: " in (error := capsys.readouterr().err)
    assert message in error
    assert not path.with_suffix(".zip").exists()


def test_convert_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert"]) == 2
    assert "FILE" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["joblib", "onnx"])
def test_a_model_is_exported(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = small_models()["lightgbm"].trained.bundle
    bundle.save(tmp_path / "lightgbm_model.zip")
    target = tmp_path / f"mine.{kind}"
    command = [
        "export",
        "--format",
        kind,
        "--model-path",
        str(tmp_path / "lightgbm_model.zip"),
        "--output",
        str(target),
    ]
    assert main(command) == 0
    assert str(target) in capsys.readouterr().out
    if kind == "joblib":
        import joblib

        exported = joblib.load(target).predict_proba(pd.DataFrame([FLAT]))[0, 1]
        assert exported == predict_accident(bundle, parse_request(FLAT), reasons=0).probability
    else:
        import onnx

        onnx.checker.check_model(onnx.load(target))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "pickle"), "'pickle'"),
        ((), "--format"),
        (("--format", "onnx", "--version", "3"), "--version goes with --model-name"),
        (("--format", "onnx", "--model-path", "a", "--model-name", "b"), "exclude each other"),
    ],
)
def test_wrong_options_are_refused(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "onnx", "--model-path", str(tmp_path / "none.zip")]) == 1
    assert "none.zip: cannot be read" in capsys.readouterr().err
