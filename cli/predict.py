"""One accident on the command line: read or ask for it, and print the answer with its reasons."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accidents.errors import ModelError, RequestError

if TYPE_CHECKING:
    from accidents.configuration.effective import Configuration

BEST = "best_model.json"
_LONGEST_INPUT = 10_000_000


def predict(source: str, configuration: "Configuration", model_path: str | None) -> int:
    """Print the prediction for the accident in the file `source`, `-` for standard input, empty to be asked."""
    from accidents.bundle import Bundle
    from accidents.prediction import answer
    from accidents.requests import parse

    request = parse(_read(source))
    path = Path(model_path) if model_path else best_bundle(configuration.training.models_folder)
    bundle = Bundle.load(path)
    result = answer(bundle, request, reasons=3)
    print(f"Prediction: {result.prediction}")
    print(f"Interpretation: {result.interpretation}")
    print(f"Probability: {result.probability:.3f} (threshold {result.threshold:.3f})")
    print("Reasons (log-odds towards priority, before calibration):" if result.on_log_odds else "Reasons:")
    for reason in result.reasons:
        print(f"  {reason}")
    for warning in request.warnings:
        print(f"Warning: {warning}")
    if request.missing:
        print(f"Not recorded: {', '.join(request.missing)}")
    print(f"Model: {bundle.model_type}, level {bundle.level}, {path}")
    return 0


def best_bundle(models: Path) -> Path:
    """The bundle of best validation F1 of the latest training.

    Raises:
        ModelError: nothing was trained yet.
    """
    note = models / BEST
    if not note.is_file():
        raise ModelError(f"{note}: no model yet; train one with 'python run.py --training', or name one: --model-path")
    return models / str(json.loads(note.read_text(encoding="utf-8"))["file"])


def _read(source: str) -> Any:
    if not source:
        if not sys.stdin.isatty():
            raise RequestError("--predict without a file asks on a terminal, and this is none: name a file, or - ")
        from cli.questions import ask

        return ask()
    try:
        with sys.stdin if source == "-" else Path(source).open(encoding="utf-8") as file:
            text = file.read(_LONGEST_INPUT + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{source}: cannot be read: {error}") from None
    if len(text) > _LONGEST_INPUT:
        raise RequestError(f"{source}: longer than {_LONGEST_INPUT:,} characters, too long for one accident")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"{source}: no JSON: {error}") from None
