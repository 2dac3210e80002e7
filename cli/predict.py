"""One accident on the command line: read or ask for it, and print the answer with its reasons."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accidents.errors import ModelError, RequestError

if TYPE_CHECKING:
    from accidents.bundle import Bundle
    from accidents.configuration.loading import Configuration
    from accidents.inference.prediction import Answer

BEST = "best_model.json"
"""In the folder of models: names the file of the best bundle of the latest training."""

_LONGEST_INPUT = 10_000_000
_LISTED = 8
_UNITS = {"log-odds": "log-odds towards priority, before calibration", "probability": "probability of priority"}


def predict(given: argparse.Namespace, configuration: "Configuration") -> int:
    """Print the prediction for the accident in the file `--predict`, `-` for standard input, empty to be asked.

    Returns:
        The exit code.

    Raises:
        RequestError: the accident cannot be read, or holds something that is refused.
        ModelError: there is no model, or it cannot be used.
    """
    content = _read(given.predict)
    from accidents.bundle import Bundle
    from accidents.inference.prediction import answer
    from accidents.requests import parse_request

    request = parse_request(content)
    path = _chosen(given, configuration)
    bundle = Bundle.load(path)
    print("\n".join(_lines(answer(bundle, request, reasons=3), bundle, path)))
    return 0


def _chosen(given: argparse.Namespace, configuration: "Configuration") -> Path:
    if given.model_name or given.best:
        from cli.zenml_session import prepare

        prepare(given.stack, debug=given.debug)
    from cli.model_choice import chosen_file

    return chosen_file(given, configuration) or best_bundle(configuration.training.models_folder)


def best_bundle(models: Path) -> Path:
    """The bundle of best validation F1 of the latest training.

    Raises:
        ModelError: nothing was trained yet, or the note about it cannot be read.
    """
    note = models / BEST
    try:
        return models / str(json.loads(note.read_text(encoding="utf-8"))["file"])
    except FileNotFoundError:
        raise ModelError(
            f"{note}: no model yet; train one with 'python run.py --training', or name one with --model-path"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{note}: cannot be read ({error!r}); train again, or name one with --model-path") from None


def _lines(answer: "Answer", bundle: "Bundle", path: Path) -> list[str]:
    lines = [
        f"Prediction: {answer.prediction}",
        f"Interpretation: {answer.interpretation}",
        f"Probability: {answer.probability:.3f}",
        f"Threshold: {answer.threshold:.3f}",
        f"Reasons ({_UNITS[answer.unit]}):",
        *(f"  {reason}" for reason in answer.reasons),
        *(f"Warning: {warning}" for warning in answer.warnings),
    ]
    if answer.missing:
        more = len(answer.missing) - _LISTED
        listed = ", ".join(answer.missing[:_LISTED])
        lines.append(f"Not recorded: {listed}{f' and {more} more' if more > 0 else ''}")
    where = "with place" if bundle.geography else "without place"
    lines.append(f"Model: {bundle.model_type}, level {bundle.level}, {where}, trained {bundle.trained_at}, {path}")
    return lines


def _read(source: str) -> Any:
    if not source:
        if not sys.stdin.isatty():
            raise RequestError("--predict without a file asks on a terminal, and there is none: name a file, or -")
        from cli.prompts import ask

        return ask()
    name = "standard input" if source == "-" else source
    try:
        with sys.stdin.buffer if source == "-" else Path(source).open("rb") as file:
            content = file.read(_LONGEST_INPUT + 1)
    except OSError as error:
        raise RequestError(f"{name}: cannot be read: {error.strerror}") from None
    if len(content) > _LONGEST_INPUT:
        raise RequestError(f"{name}: longer than {_LONGEST_INPUT:,} bytes, too long for one accident")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{name}: no JSON: {error}") from None
