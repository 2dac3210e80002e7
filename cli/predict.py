"""`--predict`: read one accident, or prompt for it, and print the prediction with its reasons."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accidents.errors import RequestError
from cli.exit_codes import DONE
from cli.model_lookup import best_model_file, find_model_file
from cli.run_options import RunOptions

if TYPE_CHECKING:
    from accidents.bundle import Bundle
    from accidents.configuration.loading import Configuration
    from accidents.inference.prediction import Prediction
    from serving.lookups.services import RequestLookups

_MAX_BYTES = 10_000_000
_MAX_LISTED = 8
_UNITS = {"log-odds": "log-odds towards priority, before calibration", "probability": "probability of priority"}


def predict(options: RunOptions, configuration: "Configuration") -> int:
    """Print the prediction for the accident of `--predict`: a file, `-` for standard input, empty for prompts.

    Returns:
        The exit code.

    Raises:
        RequestError: the accident cannot be read, or a field is refused.
        ModelError: there is no model, or it cannot be used.
    """
    content = _read_accident(options.predict or "")
    from accidents.bundle import Bundle
    from accidents.inference.prediction import predict_accident
    from accidents.requests import parse_request

    request = parse_request(content, derive=configuration.serving.derive_facts, lookups=_lookups(configuration))
    if options.model_name or options.best:
        from cli.zenml_session import prepare_zenml

        prepare_zenml(options.stack, debug=options.debug)
    path = find_model_file(options, configuration) or best_model_file(configuration.training.models_folder)
    bundle = Bundle.load(path)
    print("\n".join(_lines(predict_accident(bundle, request, reasons=3, ask=options.ask or 0), bundle, path)))
    return DONE


def _lookups(configuration: "Configuration") -> "RequestLookups | None":
    if not configuration.serving.lookups.configured:
        return None
    from serving.lookups.services import Services

    return Services(configuration.serving.lookups).for_request()


def _lines(answer: "Prediction", bundle: "Bundle", path: Path) -> list[str]:
    lines = [
        f"Prediction: {answer.prediction}",
        f"Interpretation: {answer.interpretation}",
        f"Probability: {answer.probability:.3f}",
        f"Threshold: {answer.threshold:.3f}",
        _knowledge(answer.share_known),
        f"Reasons ({_UNITS[answer.unit]}):",
        *(f"  {reason}" for reason in answer.reasons),
        *(f"Derived: {fact}" for fact in answer.derived),
        *(f"Warning: {warning}" for warning in answer.warnings),
    ]
    if answer.missing:
        more = len(answer.missing) - _MAX_LISTED
        listed = ", ".join(answer.missing[:_MAX_LISTED])
        lines.append(f"Not known: {listed}{f' and {more} more' if more > 0 else ''}")
    if answer.questions is None:
        from accidents.knowledge.next_questions import NO_RANKING

        lines.append(f"Ask next: {NO_RANKING}")
    elif answer.questions:
        lines += ["Ask next (expected gain in Brier score):", *(f"  {question}" for question in answer.questions)]
    geography = "with place" if bundle.geography else "without place"
    kind = f"{bundle.model_type}{', final' if bundle.evaluated_twin else ''}"
    lines.append(f"Model: {kind}, level {bundle.level}, {geography}, trained {bundle.trained_at}, {path}")
    return lines


def _knowledge(share_known: float) -> str:
    from accidents.inference.prediction import is_tentative

    tentative = "; a tentative answer" if is_tentative(share_known) else ""
    return f"Known: {share_known:.0%} of what usually decides{tentative}"


def _read_accident(source: str) -> Any:
    if not source:
        if not sys.stdin.isatty():
            raise RequestError("--predict without a file prompts on a terminal, and there is none: name a file, or -")
        from cli.prompts import prompt_accident

        return prompt_accident()
    name = "standard input" if source == "-" else source
    try:
        with sys.stdin.buffer if source == "-" else Path(source).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise RequestError(f"{name}: cannot be read: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise RequestError(f"{name}: longer than {_MAX_BYTES:,} bytes, too long for one accident")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{name}: no JSON: {error}") from None
