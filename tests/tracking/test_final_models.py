"""A final model in the registry: one version, whose model file answers and whose evaluated twin is judged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.loading import load_configuration
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.stages import PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import ModelError
from accidents.inference.json_scoring import NESTED_COLUMN
from accidents.inference.smoke_test import sample_accidents
from accidents.report.model_report import compare_models
from accidents.tables import LABEL
from cli.model_lookup import find_model_file
from cli.run_options import RunOptions
from tests.tracking.helpers import EVALUATION, NAME, SOURCE, STORED, TAGS, consistent_stages, delete_all_models
from tests.trained import small_models, small_year
from tests.training.test_final_model import final_model
from tracking.connection import connect
from tracking.promotion import EvaluationData, evaluate_candidate, promote_if_approved
from tracking.registration import record_and_register
from tracking.registry import RegisteredVersion, Registry
from tracking.smoke_test import run_smoke_test
from tracking.stages import rollback
from tracking.tracking_uri import TrackingTarget
from tracking.training_record import TrainingRecord, build_training_record

pytestmark = pytest.mark.slow
LENIENT = PromotionSettings.model_validate(
    {
        "accidents_at_least": 50,
        "floors": {"roc_auc": 0.0},
        "ceilings": {"brier": 1.0},
        "guards": {"department_accidents_at_least": 10},
    }
)


def record(final: Bundle | None) -> TrainingRecord:
    """A training of a LightGBM, with a final model."""
    accidents, features = small_year()
    twin, finals = small_models()["lightgbm"].trained, [final] if final else []
    compared = compare_models(
        [twin.bundle], [twin.predictions], features, accidents.accidents, EVALUATION, source=SOURCE, finals=finals
    )
    return build_training_record(
        [twin.bundle], [sample_accidents(twin.predictions, accidents, STORED)], compared.evaluations,
        compared.report_files, best="lightgbm", pages={"model_card.md": compared.card.markdown}, source=SOURCE,
        tags=TAGS, finals=finals,
    )  # fmt: skip


@pytest.fixture(scope="module")
def registry(embedded_store: TrackingTarget) -> Iterator[Registry]:
    """A registry with one version, a final model; the last test adds another."""
    with connect(TrackingSettings(), embedded_store) as connection:
        delete_all_models(connection)
        record_and_register(connection, record(final_model("lightgbm")), TrackingSettings())
        yield Registry(connection)


@pytest.fixture
def version(registry: Registry) -> RegisteredVersion:
    return registry.version(NAME, "1")


def test_the_final_model_answers_and_its_twin_is_measured(version: RegisteredVersion, registry: Registry) -> None:
    twin, final = small_models()["lightgbm"].trained.bundle, final_model("lightgbm")
    assert registry.load_bundle(version).prediction_digest() == final.prediction_digest()
    assert registry.load_evaluated_bundle(version).prediction_digest() == twin.prediction_digest()
    assert version.tags["evaluated_twin"] == twin.prediction_digest()
    assert version.tags["training_method"] == "fixed hyperparameters, final"
    assert version.metrics["roc_auc"] == pytest.approx(twin.metrics["test"]["roc_auc"], abs=1e-6)
    assert "figures are of its evaluated twin" in version.description
    assert run_smoke_test(version, DeploymentSettings(slowest_milliseconds=1000)).accidents == STORED


def test_mlflow_alone_loads_the_final_model(version: RegisteredVersion) -> None:
    import mlflow

    stored = record(final_model("lightgbm")).models[0].stored
    answer = mlflow.pyfunc.load_model(f"models:/{NAME}/{version.version}").predict(stored[[NESTED_COLUMN]])
    assert answer["probability"].tolist() == pytest.approx(stored["probability"].tolist(), abs=1e-9)
    twin = small_models()["lightgbm"].trained
    of_twin = twin.predictions.set_index("Num_Acc")["probability"]
    assert not np.isin(stored["probability"], of_twin).any()


def test_predictions_take_the_final_model_and_evaluations_its_twin(
    version: RegisteredVersion, monkeypatch: pytest.MonkeyPatch, registry: Registry, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.connection.target.uri)
    configuration = load_configuration()
    configuration = configuration.model_copy(
        update={"training": configuration.training.model_copy(update={"models_folder": tmp_path})}
    )
    options = RunOptions(model_name="lightgbm", version=version.version)
    answering = Bundle.load(find_model_file(options, configuration) or "")
    evaluated = registry.load_evaluated_bundle(version)
    assert answering.evaluated_twin["digest"] == evaluated.prediction_digest()
    accidents, _ = small_year()
    assert answering.rows == {"training": int((accidents.accidents[LABEL] >= 0).sum())}


def test_a_final_model_of_another_recipe_is_not_registered() -> None:
    final = final_model("lightgbm")
    other = replace(final, evaluated_twin=final.evaluated_twin | {"digest": "0" * 64})
    with pytest.raises(ModelError, match="was not fitted by the recipe"):
        record(other)


def test_reports_say_whose_figures_they_show() -> None:
    training = record(final_model("lightgbm"))
    card, page = training.pages["model_card.md"], training.models[0].files["report.html"]
    for text in (card, page):
        assert "Figures of the evaluated twin." in text
        assert "fitted once more on all 1,498 labelled accidents" in text
    assert "--final" in card
    assert "evaluated twin" not in record(None).pages["model_card.md"]


def test_promotion_judges_the_twin_and_promotes_both_and_rollback_returns(
    version: RegisteredVersion, registry: Registry
) -> None:
    accidents, features = small_year()
    data = EvaluationData(features, accidents.accidents, SOURCE)
    result = evaluate_candidate(registry, version, PRODUCTION, data, EVALUATION, LENIENT)
    assert promote_if_approved(registry, result)
    judged = result.decision.figures["candidate"]["metrics"]["roc_auc"]
    assert judged == pytest.approx(small_models()["lightgbm"].trained.bundle.metrics["test"]["roc_auc"])
    assert registry.load_bundle(registry.in_stage(NAME, PRODUCTION)).evaluated_twin
    record_and_register(registry.connection, record(None), TrackingSettings())
    later = registry.version(NAME, "2")
    assert promote_if_approved(registry, evaluate_candidate(registry, later, PRODUCTION, data, EVALUATION, LENIENT))
    assert not registry.load_bundle(registry.in_stage(NAME, PRODUCTION)).evaluated_twin
    rollback(registry, NAME)
    assert registry.load_bundle(registry.in_stage(NAME, PRODUCTION)).evaluated_twin
    assert consistent_stages(registry)["1"] == PRODUCTION
