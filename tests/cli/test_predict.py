"""`--predict`: the printed prediction, and the messages where there is none."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request
from cli.main import main
from tests.trained import asking_model, small_models

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "lightgbm_model.zip"
    small_models()["lightgbm"].trained.bundle.save(path)
    return path


@pytest.fixture
def models_folder(model: Path, tmp_path: Path) -> list[str]:
    """Arguments for a configuration whose models are in a folder of the test."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / model.name).write_bytes(model.read_bytes())
    shipped = (EXAMPLES.parent / "configs" / "training.yaml").read_text()
    configured = re.sub(r"(?m)^models_folder: .*$", f"models_folder: {tmp_path / 'models'}", shipped)
    assert configured != shipped
    (tmp_path / "training.yaml").write_text(configured)
    return ["--config", str(tmp_path / "training.yaml")]


def type_in(monkeypatch: pytest.MonkeyPatch, text: str, *, terminal: bool = False) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    stdin.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", stdin)


@pytest.mark.parametrize("example", ["classic_flat", "low_risk", "high_risk"])
def test_the_answer_is_printed_line_by_line(example: str, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = EXAMPLES / f"{example}.json"
    assert main(["--predict", str(file), "--model-path", str(model)]) == 0
    request = parse_request(json.loads(file.read_text()))
    bundle = small_models()["lightgbm"].trained.bundle
    expected = predict_accident(bundle, request, reasons=3)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [
        f"Prediction: {expected.prediction}",
        f"Interpretation: {expected.interpretation}",
        f"Probability: {expected.probability:.3f}",
        f"Threshold: {expected.threshold:.3f}",
        f"Known: {expected.share_known:.0%} of what usually decides",
        "Reasons (log-odds towards priority, before calibration):",
    ]
    assert lines[6:9] == [f"  {reason}" for reason in expected.reasons]
    assert lines[9].startswith(f"Not known: {request.missing[0]}, ")
    assert "lightgbm, level call, with place" in lines[-1]
    assert str(model) in lines[-1]


def test_many_missing_fields_are_abbreviated(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "little.json").write_text('{"vehicles": [{}], "people": [{}], "accident": {"lat": 80, "long": 2}}')
    assert main(["--predict", str(tmp_path / "little.json"), "--model-path", str(model)]) == 0
    lines = capsys.readouterr().out.splitlines()
    missing = next(line for line in lines if line.startswith("Not known: "))
    assert missing.count(",") == 7
    assert re.search(r" and \d+ more$", missing)


def test_warnings_are_printed(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    content = json.loads((EXAMPLES / "low_risk.json").read_text())
    content["people"][0]["grav"] = 2
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert main(["--predict", str(tmp_path / "a.json"), "--model-path", str(model)]) == 0
    assert "Warning: grav is the outcome and was ignored" in capsys.readouterr().out


def test_the_best_model_of_the_latest_training_answers(
    models_folder: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ["--predict", str(EXAMPLES / "low_risk.json"), *models_folder]
    note = tmp_path / "models" / "best_model.json"
    assert main(command) == 1
    assert f"{note}: no model yet" in capsys.readouterr().err
    for damaged in ("{", "[]", "{}"):
        note.write_text(damaged)
        assert main(command) == 1
        assert f"{note}: cannot be read" in capsys.readouterr().err
    note.write_text('{"file": "lightgbm_model.zip"}')
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("Prediction: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "must be an object"),
        ('{"lum": 9}', "1 daylight"),
        ('{"mois": 2, "jour": 31, "an": 2024}', "this day does not exist"),
        ('{"an": true}', "must be a number"),
        ('{"colour": 1}', "unknown field"),
        ('{"mois": 5}' + " " * 10_000_001, "too long"),
    ],
)
def test_an_invalid_accident_is_reported_without_a_traceback(
    content: str, message: str, model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(content)
    assert main(["--predict", str(tmp_path / "a.json"), "--model-path", str(model)]) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_files_that_are_not_there_are_named(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--predict", str(tmp_path / "a.json"), "--model-path", str(model)]) == 1
    assert "a.json: cannot be read: No such file" in capsys.readouterr().err
    assert main(["--predict", str(EXAMPLES / "low_risk.json"), "--model-path", str(tmp_path / "no.zip")]) == 1
    assert "no.zip: cannot be read" in capsys.readouterr().err


def test_without_a_file_it_prompts_on_a_terminal_only(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["--predict", "--model-path", str(model)]
    type_in(monkeypatch, "")
    assert main(command) == 1
    assert "name a file" in capsys.readouterr().err
    type_in(monkeypatch, "\n" * 30, terminal=True)
    assert main(command) == 0
    assert "Prediction: " in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.traced
def test_standard_input_is_read_without_importing_zenml(project: Path, model: Path) -> None:
    code = (
        "import sys; from cli.main import main; code = main(sys.argv[1:])\n"
        "heavy = {'zenml', 'mlflow', 'great_expectations', 'pandera', 'matplotlib', 'shap', 'optuna'}\n"
        "print(heavy & {*sys.modules}); sys.exit(code)"
    )
    command = [sys.executable, "-c", code, "--predict", "-", "--model-path", str(model)]
    content = (EXAMPLES / "classic_flat.json").read_text()
    options: dict[str, Any] = {"cwd": project, "capture_output": True, "text": True}
    done = subprocess.run(command, input=content, **options, check=True)
    lines = done.stdout.splitlines()
    assert re.fullmatch("Prediction: [01]", lines[0])
    assert re.fullmatch("Interpretation: (Non-)?Priority", lines[1])
    assert lines[-1] == "set()"
    assert done.stderr == ""
    refused = subprocess.run(command, input="{", **options, check=False)
    assert refused.returncode == 1
    assert "standard input: no JSON" in refused.stderr


@pytest.mark.slow
@pytest.mark.traced
def test_a_closed_pipe_gives_no_traceback(model: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "run.py", "--predict", "examples/low_risk.json", "--model-path", str(model)]
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(command, cwd=EXAMPLES.parent, stdout=closed, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == ""


def test_questions_are_printed_on_request(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking_model().save(tmp_path / "asking.zip")
    accident = {"vehicles": [{"catv": 7}], "people": [{"catu": 1}]}
    expected = predict_accident(asking_model(), parse_request(accident), ask=2).questions
    assert expected
    for arguments, lines in (
        (["--model-path", str(tmp_path / "asking.zip"), "--ask", "2"], [f"  {one}" for one in expected]),
        (["--model-path", str(tmp_path / "asking.zip")], []),
        (["--model-path", str(model), "--ask", "2"], []),
    ):
        type_in(monkeypatch, json.dumps(accident))
        assert main(["--predict", "-", *arguments]) == 0
        printed = capsys.readouterr().out.splitlines()
        start = [number for number, line in enumerate(printed) if line.startswith("Ask next (expected gain")]
        assert [line for number in start for line in printed[number + 1 : -1]] == lines
        assert any("cannot rank questions" in line for line in printed) == (str(model) in arguments)


def test_derived_facts_are_printed(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "accident.json"
    file.write_text('{"jour": 24, "mois": 12, "an": 2024, "hrmn": "23:30", "com": "59350", "agg_": 2}')
    assert main(["--predict", str(file), "--model-path", str(model)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("Derived: ")] == [
        "Derived: accident.dep 59, from the commune",
        "Derived: accident.lum 5 (night with street light on), from date, time and place, inside a built-up area",
    ]
    off = tmp_path / "serving.yaml"
    off.write_text("pipeline: serving\nderive_facts: false\n")
    assert main(["--predict", str(file), "--model-path", str(model), "--config", str(off)]) == 0
    assert "Derived: " not in capsys.readouterr().out
