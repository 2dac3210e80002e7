"""Helpers of the tests of tracking: training records, versions without model files, consistency checks."""

from collections.abc import Mapping
from functools import cache

from zenml.client import Client

from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.stages import ARCHIVED, PRODUCTION, STAGING
from accidents.configuration.training import ModelSettings, TrainingSettings
from accidents.inference.smoke_test import sample_each
from accidents.report.model_report import compare_models
from accidents.training import TrainingResult, train
from tests.trained import SMALL, small_models, small_year
from tracking import ledger, reconcile, zenml_sync
from tracking.connection import Connection
from tracking.ledger import LedgerEntry
from tracking.model_files import FILES_SHA256, MODEL_FILE_SHA256
from tracking.names import registered_name, registered_names
from tracking.registry import RegisteredVersion, Registry
from tracking.stages import transition
from tracking.training_record import TrainingRecord, build_training_record

EVALUATION = EvaluationSettings(resamples=20, group_resamples=10, explained_accidents=50)
SOURCE = "sample"
TAGS = {"code_version": "0123abcd", "stack": "deinconsistency"}
NAME = registered_name("lightgbm")
STORED = 20


@cache
def tuned_forest() -> TrainingResult:
    """A small forest, tuned on a grid of two values."""
    accidents, features = small_year()
    own = ModelSettings(parameters=SMALL["random_forest"], grid={"max_depth": [3, 5]})
    settings = TrainingSettings.model_validate(
        {"threads": 1, "cv_folds": 2, "tuning": {"method": "grid"}, "model_settings": {"random_forest": own}}
    )
    return train("random_forest", features, accidents.accidents, settings, level="call", fingerprint="0123456789abcdef")


@cache
def training_record(*, search: bool = False) -> TrainingRecord:
    """The record of a training of every model type; with `search`, the forest is tuned."""
    models = {name: scored.trained for name, scored in small_models().items()}
    return _compared(models | ({"random_forest": tuned_forest()} if search else {}), best="xgboost")


@cache
def single_model_training(model_type: str) -> TrainingRecord:
    """The record of a training of one model type."""
    return _compared({model_type: small_models()[model_type].trained}, best=model_type)


def _compared(models: Mapping[str, TrainingResult], *, best: str) -> TrainingRecord:
    accidents, features = small_year()
    bundles = [trained.bundle for trained in models.values()]
    predictions = [trained.predictions for trained in models.values()]
    compared = compare_models(bundles, predictions, features, accidents.accidents, EVALUATION, source=SOURCE)
    return build_training_record(
        bundles,
        sample_each(predictions, accidents=accidents, count=STORED),
        compared.evaluations,
        compared.report_files,
        best=best,
        pages={"comparison.html": "<p>compared</p>", "model_card.md": "# Card"},
        source=SOURCE,
        tags=TAGS,
    )


def register_version(
    connection: Connection, name: str = NAME, tags: Mapping[str, str] | None = None
) -> RegisteredVersion:
    """Register a new version with a model URI and no files."""
    client = connection.client
    if name not in {model.name for model in client.search_registered_models()}:
        client.create_registered_model(name)
    model = client.create_logged_model(connection.experiment_id, name="model")
    source = f"models:/{model.model_id}"
    digests = {MODEL_FILE_SHA256: "0" * 64, FILES_SHA256: "0" * 64}
    output = {"stage": "None", "f1": "0.7", **digests, **(tags or {})}
    made = client.create_model_version(name, source=source, model_id=model.model_id, tags=output)
    zenml_sync.add_version(name, str(made.version), source)
    return Registry(connection).version(name, str(made.version))


def delete_all_models(connection: Connection) -> None:
    """Delete every model of the project in MLflow and ZenML."""
    registry = Registry(connection)
    for name in registered_names().values():
        for one in [model.name for model in connection.client.search_registered_models()]:
            if one == name or one.startswith(f"{name}.lock"):
                connection.client.delete_registered_model(one)
        if name not in registry.models():
            ledger.append(connection, LedgerEntry("delete", name, ledger.ALL_VERSIONS, "None"))
        zenml_sync.delete_model(name)


def transition_to(registry: Registry, version: RegisteredVersion, stage: str, action: str = "promote") -> LedgerEntry:
    """Move a version to a stage, with its current holder as the expected one."""
    seen = registry.holder(version.name, stage) if stage in (PRODUCTION, STAGING) else None
    return transition(registry, version, stage, LedgerEntry(action, version.name, version.version, stage), seen)


def zenml_numbers(name: str = NAME) -> dict[str, str]:
    """Numbers of the versions in ZenML by their names."""
    return {one.name: str(one.number) for one in Client().list_model_versions(model=name, size=1000).items}


def consistent_stages(registry: Registry, name: str = NAME) -> dict[str, str]:
    """Stages by version, after asserting that aliases, tags and ZenML agree and no inconsistency is found."""
    versions = registry.versions(name)
    found = {one.version: one.stage for one in versions}
    assert {number: known.stage for number, known in zenml_sync.list_versions(name).items()} == found
    assert {number: number for number in found} == zenml_numbers(name)
    assert {one.version: one.tags["stage"] for one in versions} == found
    for stage, alias in ((PRODUCTION, "production"), (STAGING, "staging")):
        assert [one.version for one in versions if alias in one.aliases] == [n for n, s in found.items() if s == stage]
        assert list(found.values()).count(stage) <= 1
    assert [
        inconsistency.description
        for inconsistency in reconcile.find_inconsistencies(registry)
        if inconsistency.model == name
    ] == []
    return dict(sorted(found.items(), key=lambda one: int(one[0])))


def archived_versions(registry: Registry, name: str = NAME) -> list[str]:
    """Versions in the order in which they were displaced or archived since the model was created, by the ledger."""
    entries = ledger.read_entries(registry.connection, name)
    ends = [place for place, entry in enumerate(entries) if entry.version == ledger.ALL_VERSIONS]
    entries = entries[ends[-1] + 1 :] if ends else entries
    moved = [entry for entry in entries if entry.action in {"promote", "transition", "rollback", "archive"}]
    return [
        number
        for entry in moved
        for number in ([entry.previous] if entry.previous else [entry.version] if entry.stage == ARCHIVED else [])
    ]
