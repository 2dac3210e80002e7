"""`python run.py audit PREDICTION_ID`: from a logged prediction to its model, run and data, and the answer recomputed.

Imports nothing heavy: `--help` must answer at once.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from accidents.errors import ModelError, RequestError
from cli.decorators import record_database
from cli.exit_codes import DONE, FAILED
from cli.options import config_option, debug_enabled, debug_option
from cli.output import print_result

if TYPE_CHECKING:
    from accidents.bundle import Bundle
    from accidents.configuration.loading import Configuration
    from accidents.inference.reproduction import Reproduction
    from serving.records.stored_prediction import StoredPrediction
    from tracking.provenance import Provenance


@click.command(epilog="Exit codes: 0 audited, 1 something is missing or the answer differs, 2 wrong command line")
@click.argument("prediction_id")
@click.option(
    "--format", "file_format", type=click.Choice(("text", "json")), default="text", help="a page of text, or JSON"
)
@click.option(
    "--request",
    "request_file",
    metavar="FILE",
    help="the request as it was sent, where the log keeps less of it; it has to agree with the log",
)
@click.option("--model-path", metavar="FILE", help="the model file that made the prediction, if it is kept elsewhere")
@click.option("--stack", metavar="NAME", help="ZenML stack for this command alone")
@config_option
@debug_option
def audit(
    *,
    prediction_id: str,
    file_format: str,
    request_file: str | None,
    model_path: str | None,
    stack: str | None,
    config: tuple[str, ...],
) -> int:
    """Which model made a prediction, trained on which data by which run, promoted why and by whom; and is it right?

    The answer is recomputed with the same model file and compared. docs/audit.md describes the page.
    """
    from accidents.configuration.environment import load_environment

    load_environment()
    from accidents.configuration.loading import load_configuration
    from serving.records.stored_prediction import read_prediction

    configuration = load_configuration(map(Path, config))
    with record_database(configuration.serving.records, create=False) as database:
        stored = read_prediction(database.engine, prediction_id)
    from cli.zenml_session import prepare_zenml

    prepare_zenml(stack, debug=debug_enabled())
    from accidents.bundle import Bundle
    from cli.audit_page import audit_page
    from tracking.connection import connect

    with connect(configuration.tracking) as connection:
        provenance, file = _find_model(stored, connection, configuration, model_path)
        store = str(connection.target)
    bundle = Bundle.load(file)
    reproduction = _reproduce(bundle, stored, request_file)

    values = _as_dict(stored, bundle, file, provenance, store, reproduction)
    print_result(values, audit_page(values), as_json=file_format == "json")
    return FAILED if reproduction and reproduction.verdict == "different" else DONE


def _find_model(
    stored: "StoredPrediction", connection: Any, configuration: "Configuration", model_path: str | None
) -> tuple["Provenance | None", Path]:
    """The provenance of the registered version that answered, None for a file that is not registered; its model file.

    Raises:
        RegistryError: the version is gone, or is another one now.
        ModelError: the file is gone, or is another one now.
    """
    from tracking.errors import RegistryError
    from tracking.lookup import download_model
    from tracking.model_files import MODEL_FILE_SHA256, sha256
    from tracking.provenance import find_answering_version, read_provenance
    from tracking.registry import Registry

    registry, row = Registry(connection), stored.row
    models = configuration.training.models_folder
    try:
        version = find_answering_version(registry, row["model"], row["version"], row["model_sha256"])
    except RegistryError:
        if model_path is None:
            raise
        version = None
    provenance = read_provenance(registry, version) if version else None
    if version and model_path is None:
        return provenance, download_model(registry, version, models / "registry")
    # Earlier versions logged the beginning of the digest alone, at the end of the version of a file.
    digest = row["model_sha256"] or (version and version.tags[MODEL_FILE_SHA256]) or row["version"].rpartition(" ")[2]
    candidates = [Path(model_path)] if model_path else [*models.glob("*.zip"), *models.glob("registry/*.zip")]
    for file in candidates:
        if file.is_file() and sha256(file).startswith(digest):
            return provenance, file
    places = f"{model_path} is another file" if model_path else f"neither the registry nor {models} holds it"
    raise ModelError(
        f"the model file of {row['model']} {row['version']} (SHA-256 {digest}) is gone: {places}; "
        "name a copy with --model-path"
    )


def _reproduce(bundle: "Bundle", stored: "StoredPrediction", request_file: str | None) -> "Reproduction | None":
    """The prediction made again; None where the accident was not stored."""
    from accidents.inference.reproduction import answered_accident, reproduce
    from serving.records.data_minimisation import DECIMALS, FULL, NONE

    row, content = stored.row, stored.row["inputs"]
    derived = row["derived"] or []
    derived_place = any(fact["field"] in {"accident.lat", "accident.long"} for fact in derived)
    exact = row["kept"] == FULL
    if request_file:
        content, exact = _read_request(request_file, stored), not derived_place
    if row["kept"] == NONE and not request_file:
        return None
    return reproduce(
        bundle,
        answered_accident(content, derived),
        row["probability"],
        complete=row["derived"] is not None and (exact or bool(request_file) or not bundle.geography),
        rounding=0.0 if exact else 10.0**-DECIMALS,
    )


def _read_request(file: str, stored: "StoredPrediction") -> Any:
    """The request of a file.

    Raises:
        RequestError: it cannot be read, or is not the one that was logged.
    """
    from serving.records.data_minimisation import input_serialiser

    try:
        text = Path(file).read_bytes()
        content = json.loads(text)
    except (OSError, ValueError) as error:
        raise RequestError(f"{file}: cannot be read: {error}") from None
    inputs = input_serialiser(stored.row["kept"])(text)[1]
    if not isinstance(content, dict) or (inputs and json.loads(inputs)) != stored.row["inputs"]:
        raise RequestError(f"{file}: is not the request of this prediction: the log has another accident")
    return content


def _as_dict(
    stored: "StoredPrediction",
    bundle: "Bundle",
    file: Path,
    provenance: "Provenance | None",
    store: str,
    reproduction: "Reproduction | None",
) -> dict[str, Any]:
    """The audit, ready for JSON."""
    from tracking.model_files import sha256

    row = {name: _json_value(value) for name, value in stored.row.items()}
    manifest = bundle.metadata()
    model = ("model_type", "level", "geography", "threshold", "seed", "resampling", "tuning", "trained_at", "versions")
    data = ("fingerprint", "editions", "months", "rows", "split")
    version = provenance.version if provenance else None
    return {
        "prediction": row,
        "caller": stored.caller,
        "outcomes": [{name: _json_value(value) for name, value in one.items()} for one in stored.outcomes],
        "shadow": stored.shadow and {name: _json_value(value) for name, value in stored.shadow.items()},
        "reproduction": asdict(reproduction) if reproduction else None,
        "model": {
            "name": version.name if version else row["model"],
            "version": version.version if version else row["version"],
            "registered": version is not None,
            "stage": version.stage if version else None,
            "sha256": sha256(file),
            "file": str(file),
            "evaluated_twin": manifest["evaluated_twin"] or None,
            **{name: manifest[name] for name in model},
        },
        "data": {"source": version.tags.get("source") if version else None, **{name: manifest[name] for name in data}},
        "training": {
            "store": store,
            "mlflow": provenance.runs if provenance else {},
            "zenml": provenance.zenml if provenance else {},
        },
        "ledger": [asdict(entry) for entry in provenance.entries] if provenance else [],
    }


def _json_value(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
