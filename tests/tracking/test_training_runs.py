"""A tracked training in each store: nested runs, registered versions, and models loaded by MLflow alone."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import RequestError
from accidents.models import model_types
from accidents.requests import parse_request
from accidents.requests.flat import FLAT_FIELDS
from accidents.requests.serialisation import to_requests
from accidents.tables import Accidents
from tests.tracking.helpers import (
    NAME,
    SOURCE,
    STORED,
    TAGS,
    consistent_stages,
    delete_all_models,
    single_model_training,
    training_record,
    transition_to,
)
from tests.trained import small_models, small_year
from tracking.connection import Connection, connect
from tracking.names import registered_names
from tracking.registration import record_and_register
from tracking.registry import Registry
from tracking.tracking_uri import TrackingTarget

pytestmark = pytest.mark.slow
SETTINGS = TrackingSettings()
ACCIDENTS = 300


@dataclass(frozen=True)
class Tracked:
    """A training tracked in a store, and the registered versions."""

    connection: Connection
    registered: dict[str, dict[str, Any]]


@pytest.fixture(
    scope="module",
    params=["embedded_store", *(pytest.param(name, marks=pytest.mark.long) for name in ("on_postgresql", "on_sqlite"))],
)
def store(request: pytest.FixtureRequest) -> TrackingTarget:
    found: TrackingTarget = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def tracked(store: TrackingTarget) -> Iterator[Tracked]:
    with connect(SETTINGS, store) as connection:
        delete_all_models(connection)
        yield Tracked(connection, record_and_register(connection, training_record(search=True), SETTINGS))


def files(tracked: Tracked, run: str, folder: str | None = None) -> set[str]:
    return {Path(found.path).name for found in tracked.connection.client.list_artifacts(run, folder)}


def test_runs_are_nested_training_model_trial(tracked: Tracked) -> None:
    client = tracked.connection.client
    children = {found["run_id"] for found in tracked.registered.values()}
    parents = {client.get_run(run).data.tags["mlflow.parentRunId"] for run in children}
    assert len(children) == len(model_types())
    (parent,) = map(client.get_run, parents)
    assert parent.info.run_name == training_record(search=True).name
    assert parent.info.run_name.startswith(f"{SOURCE} call 20")
    assert parent.info.status == "FINISHED"
    assert {"comparison.html", "model_card.md"} <= files(tracked, parent.info.run_id)
    below = client.search_runs([tracked.connection.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert {run.info.run_id for run in below} == children
    forest = tracked.registered["random_forest"]["run_id"]
    trials = client.search_runs([tracked.connection.experiment_id], f"tags.mlflow.parentRunId = '{forest}'")
    assert {run.info.run_name for run in trials} == {"Random Forest trial 01", "Random Forest trial 02"}
    assert {run.data.params["max_depth"] for run in trials} == {"3", "5"}
    assert all(0.5 < run.data.metrics["cv_roc_auc"] < 1 for run in trials)


def test_the_run_of_a_model_has_parameters_metrics_tags_and_artifacts(tracked: Tracked) -> None:
    for model in training_record(search=True).models:
        kind, bundle = model.bundle.model_type, model.bundle
        run = tracked.connection.client.get_run(tracked.registered[kind]["run_id"])
        assert run.data.params["model_type"] == run.data.tags["model_type"] == kind
        assert run.data.params["seed"] == "0"
        assert run.data.params["training_accidents"] == str(bundle.rows["training"])
        for name, value in bundle.parameters.items():
            assert run.data.params[f"model_{name}"] == str(value)
        figures = model.evaluation
        for name in ("f1", "roc_auc", "ece"):
            low, high = figures.intervals[name]
            assert run.data.metrics[f"{name}_low"] == low <= run.data.metrics[name] <= high
            assert run.data.metrics[name] == getattr(figures, name)
            assert run.data.metrics[f"{name}_high"] == high
        assert run.data.metrics["threshold"] == bundle.threshold
        assert run.data.tags["code_version"] == TAGS["code_version"]
        searched = kind == "random_forest"
        assert run.data.tags["training_method"] == ("grid search" if searched else "fixed hyperparameters")
        assert {"report.html", "evaluation.json", "shap_importance.csv"} <= files(tracked, run.info.run_id)
        pictures = {name.removesuffix(".svg") for name in files(tracked, run.info.run_id, "plots")}
        assert {"confusion_matrix", "shap_summary", "shap_importance"} <= pictures
        (used,) = run.inputs.dataset_inputs
        assert used.dataset.digest == training_record().fingerprint[:32]
        columns = [column["name"] for column in json.loads(used.dataset.schema)["mlflow_colspec"]]
        assert columns == [*small_year()[1].columns.drop("Num_Acc"), "priority"]


def test_a_version_has_signature_example_tags_and_description(tracked: Tracked) -> None:
    import mlflow

    for kind, found in tracked.registered.items():
        version = Registry(tracked.connection).version(found["name"], found["version"])
        assert found["name"] == registered_names()[kind]
        assert version.stage == NONE
        assert version.tags["model_type"] == kind
        assert version.tags["level"] == "call"
        assert "French road accident" in tracked.connection.client.get_registered_model(found["name"]).description
        assert "accidents" in version.description
        about = mlflow.models.get_model_info(f"models:/{found['name']}/{found['version']}")
        columns = about.signature.inputs.inputs
        assert [column.name for column in columns] == ["accident", "accident_flat", *sorted(FLAT_FIELDS)]
        assert {one.name: repr(one.type) for one in columns}["lat"] == "double"
        assert not any(column.required for column in columns)
        assert [column.name for column in about.signature.outputs.inputs] == [
            "probability",
            "prediction",
            "interpretation",
        ]
        folder = mlflow.artifacts.download_artifacts(f"models:/{found['name']}/{found['version']}")
        (example,) = json.loads((Path(folder) / "input_example.json").read_text())["data"]
        assert "vehicules" in example[0] or "vehicles" in example[0]
        stored = json.loads((Path(folder) / "artifacts" / "stored_accidents.json").read_text())
        assert len(stored) == STORED


def test_models_loaded_by_mlflow_outside_the_project_predict_the_same(
    tracked: Tracked, tmp_path: Path, project: Path
) -> None:
    """In a fresh process in another folder, without the project; by version number and by alias."""
    registry = Registry(tracked.connection)
    for name in registry.models():
        if registry.holder(name, PRODUCTION) is None:
            transition_to(registry, registry.version(name, "1"), PRODUCTION)
    accidents, features = small_year()
    chosen = features.head(ACCIDENTS)
    texts = [json.dumps(one) for one in to_requests(accidents, chosen["Num_Acc"].tolist())]
    flat = (project / "examples" / "classic_flat.json").read_text()
    broken = json.dumps(json.loads(flat) | {"lum": "moonlight"})
    frames = {
        "nested": {"accident": texts},
        "flat": {"accident_flat": [flat]},
        "both": {"accident": [texts[0], None], "accident_flat": [None, flat]},
        "refused": {"accident_flat": [flat, flat, broken]},
    }
    names = registered_names()
    addresses = [f"models:/{name}{which}" for name in names.values() for which in ("/1", "@production")]
    found = predict_in_process(tracked.connection.target.uri, addresses, frames, tmp_path)
    assert not any(Path(entry).resolve() == project for entry in found["path"] if entry)
    assert not found["code"].startswith(str(project))
    bundles = {model.bundle.model_type: model.bundle for model in training_record(search=True).models}
    for kind, name in names.items():
        expected = bundles[kind].predict(chosen)
        for which in ("/1", "@production"):
            answers = found[f"models:/{name}{which}"]
            assert np.abs(np.array(answers["nested"]["probability"]) - expected).max() <= 1e-12
            assert answers["nested"]["prediction"] == (expected >= bundles[kind].threshold).astype(int).tolist()
            assert answers["both"]["probability"] == [
                answers["nested"]["probability"][0],
                answers["flat"]["probability"][0],
            ]
            assert set(answers["nested"]["interpretation"]) == {"Priority", "Non-Priority"}
            assert "row 2" in answers["refused"]
            assert "lum" in answers["refused"]
            assert "moonlight" in answers["refused"]


def predict_in_process(uri: str, addresses: list[str], frames: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Predictions of registered models in a fresh process."""
    response, answered = folder / "response.json", folder / "answered.json"
    response.write_text(json.dumps({"uri": uri, "models": addresses, "frames": frames}))
    script = Path(__file__).with_name("predict_process.py").read_text()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTHON"))}
    # The .pth file of a development environment adds the project to the path; -S leaves it out.
    environment["PYTHONPATH"] = sysconfig.get_path("purelib")
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", script, str(response), str(answered)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(answered.read_text())
    return found


def test_a_second_training_makes_second_versions_and_leaves_production_alone(tracked: Tracked) -> None:
    registry = Registry(tracked.connection)
    if registry.holder(NAME, PRODUCTION) is None:
        transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
    assert (
        record_and_register(tracked.connection, single_model_training("lightgbm"), SETTINGS)["lightgbm"]["version"]
        == "2"
    )
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": NONE}
    transition_to(registry, registry.latest(NAME), PRODUCTION)
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION}
    best = registry.best("f1")
    promoted = [holder for name in registry.models() if (holder := registry.holder(name, PRODUCTION))]
    assert best.metrics["f1"] == max(version.metrics["f1"] for version in promoted)
    assert registry.load_bundle(best).model_type == best.tags["model_type"]


def readable(accidents: Accidents, number: int) -> bool:
    """Whether the published rows fit together: a few vehicles share their number with another one."""
    try:
        return bool(parse_request(to_requests(accidents, [number])[0]))
    except RequestError:
        return False


@pytest.mark.real
@pytest.mark.long
def test_real_accidents_get_the_same_probabilities(
    embedded_store: TrackingTarget, real_baac: Path, tmp_path: Path
) -> None:
    from accidents.configuration.ingestion import IngestionSettings
    from accidents.features import feature_frame
    from accidents.ingestion import ingest
    from accidents.sources.folder import folder_editions

    accidents = ingest(folder_editions(str(real_baac / "2024"), None), IngestionSettings()).accidents
    drawn = accidents.accidents["Num_Acc"].sample(1010, random_state=0)
    chosen = pd.Series([number for number in drawn if readable(accidents, number)][:1000])
    features = feature_frame(accidents).set_index("Num_Acc", drop=False).loc[chosen].reset_index(drop=True)
    with connect(SETTINGS, embedded_store) as connection:
        delete_all_models(connection)
        registered = record_and_register(connection, training_record(), SETTINGS)
    addresses = {kind: f"models:/{found['name']}/{found['version']}" for kind, found in registered.items()}
    texts = [json.dumps(one) for one in to_requests(accidents, chosen.tolist())]
    found = predict_in_process(embedded_store.uri, [*addresses.values()], {"real": {"accident": texts}}, tmp_path)
    for kind, scored in small_models().items():
        answers = np.array(found[addresses[kind]]["real"]["probability"])
        assert np.abs(answers - scored.trained.bundle.predict(features)).max() <= 1e-12
