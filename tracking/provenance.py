"""Provenance of a registered version: its runs in MLflow and ZenML, and the entries of the ledger about it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tracking.errors import RegistryError
from tracking.ledger import ALL_VERSIONS, LedgerEntry, read_entries
from tracking.model_files import MODEL_FILE_SHA256
from tracking.registry import RegisteredVersion, Registry

_STARTED_BY = "mlflow.user"
_PARENT = "mlflow.parentRunId"
_RUN_NAME = "mlflow.runName"
_ZENML = ("zenml_run", "zenml_run_id", "zenml_run_url", "zenml_stack", "training_digest", "code_version")


@dataclass(frozen=True)
class Provenance:
    """Where a version comes from.

    Attributes:
        version: the version.
        runs: of MLflow, that of the training and that of the model: `id`, `name`, `started`, `by`.
        zenml: name, id, URL and stack of the ZenML run, digest of the training, and code version, where they are known.
        entries: decisions and changes of the ledger about the version, oldest first.
    """

    version: RegisteredVersion
    runs: dict[str, dict[str, str]] = field(default_factory=dict)
    zenml: dict[str, str] = field(default_factory=dict)
    entries: tuple[LedgerEntry, ...] = ()


def find_answering_version(registry: Registry, name: str, number: str, digest: str | None) -> RegisteredVersion | None:
    """The version that made a prediction, by name and number, or else any whose model file has the digest.

    Args:
        registry: the registry.
        name: of the model, as it was logged; that of a file where a file was served.
        number: of the version, as it was logged.
        digest: SHA-256 of the model file; None where it was not logged.

    Returns:
        None where a file was served that is not registered.

    Raises:
        RegistryError: the version was deleted, or the registry has another model file under its number.
    """
    models = registry.models()
    if name in models or name in registry.possible_names():
        versions = registry.versions(name) if name in models else []
        version = next((one for one in versions if one.version == number), None)
        if version is None:
            reason = _deletion(registry, name, number)
            raise RegistryError(f"{name} {number}, which made this prediction, is not registered: {reason}")
        if digest and version.tags.get(MODEL_FILE_SHA256, digest) != digest:
            raise RegistryError(
                f"{version.title}: the model file of this registry did not make the prediction, by SHA-256; "
                "name the registry of that time with MLFLOW_TRACKING_URI"
            )
        return version
    every = (version for model in models for version in registry.versions(model))
    return next((one for one in every if digest and one.tags.get(MODEL_FILE_SHA256) == digest), None)


def read_provenance(registry: Registry, version: RegisteredVersion) -> Provenance:
    """Runs and ledger of a version; what MLflow no longer has is left out."""
    entries = [
        entry
        for entry in read_entries(registry.connection, version.name)
        if version.version in {entry.version, entry.previous}
    ]
    runs, tags = {}, dict(version.tags)
    model_run = _run(registry, version.run_id)
    if model_run:
        tags |= model_run.data.tags
        training = _run(registry, tags.get(_PARENT, ""))
        runs = {kind: _described(run) for kind, run in (("training", training), ("model", model_run)) if run}
    zenml = {name: tags[name] for name in _ZENML if tags.get(name)}
    return Provenance(version, runs, zenml, tuple(entries))


def _run(registry: Registry, run_id: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return registry.connection.client.get_run(run_id) if run_id else None
    except MlflowException:
        return None  # deleted


def _described(run: Any) -> dict[str, str]:
    started = datetime.fromtimestamp(run.info.start_time / 1000, tz=UTC).isoformat(timespec="seconds")
    tags = run.data.tags
    return {
        "id": run.info.run_id,
        "name": tags.get(_RUN_NAME, ""),
        "started": started,
        "by": tags.get(_STARTED_BY, ""),
    }


def _deletion(registry: Registry, name: str, number: str) -> str:
    """When and by whom a version was deleted, by the ledger."""
    for entry in reversed(read_entries(registry.connection, name)):
        if entry.action in {"delete", "prune"} and entry.version in {number, ALL_VERSIONS}:
            return f"{entry.who} deleted it ({entry.action}) on {entry.when[:10]}"
    return "it was deleted, or another registry has it (MLFLOW_TRACKING_URI)"
