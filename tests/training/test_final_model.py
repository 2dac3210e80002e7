"""Final models: the recipe of an evaluated model on all labelled accidents, and what is held out from them."""

from functools import cache

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.configuration.training import ModelSettings, TrainingSettings
from accidents.errors import DataError, ModelError
from accidents.features.arrays import to_arrays
from accidents.knowledge.masks import KNOWN, all_but
from accidents.models import model_types
from accidents.tables import LABEL
from accidents.training.final_model import check_twin, fit_final_model, mean_difference
from accidents.training.held_out import held_out_rows
from tests.knowledge.test_training import trained
from tests.trained import SMALL, small_models, small_year
from tests.training.conftest import quick

pytestmark = [pytest.mark.slow, pytest.mark.traced]

SETTINGS = TrainingSettings(
    threads=1, model_settings={name: ModelSettings(parameters=SMALL[name]) for name in model_types()}
)


@cache
def final_model(model_type: str) -> Bundle:
    accidents, features = small_year()
    twin = small_models()[model_type].trained.bundle
    return fit_final_model(twin, features, accidents.accidents, SETTINGS, difference_at_most=0.5)


@pytest.mark.parametrize("model_type", model_types())
def test_a_final_model_learns_from_all_accidents_and_has_the_figures_of_its_twin(model_type: str) -> None:
    accidents, features = small_year()
    twin, final = small_models()[model_type].trained.bundle, final_model(model_type)
    assert final.rows == {"training": int((accidents.accidents[LABEL] >= 0).sum())}
    assert (final.metrics, final.threshold, final.calibration) == (twin.metrics, twin.threshold, twin.calibration)
    assert final.evaluated_twin["digest"] == twin.prediction_digest() != final.prediction_digest()
    assert final.evaluated_twin["rows"] == twin.rows
    test = features[features["Num_Acc"].isin(small_models()[model_type].test["Num_Acc"])]
    difference = np.abs(final.predict(test) - twin.predict(test)).mean()
    assert final.evaluated_twin["mean_difference"] == pytest.approx(difference)
    assert 0 < difference < 0.2


def test_a_final_model_of_boosters_has_as_many_trees_as_its_twin() -> None:
    for name in ("lightgbm", "xgboost"):
        twin, final = small_models()[name].trained.bundle.model, final_model(name).model
        assert final.refit_parameters(final.PARAMETERS()) == twin.refit_parameters(twin.PARAMETERS())


def test_what_answers_partial_knowledge_learns_from_the_test_set_too() -> None:
    accidents, features = small_year()
    twin = trained("logistic_regression")
    final = fit_final_model(
        twin, features, accidents.accidents, quick(), difference_at_most=0.5, details=accidents
    )  # fmt: skip
    assert twin.partial
    assert final.partial
    assert final.partial.correction.to_sections() != twin.partial.correction.to_sections()
    assert final.questions
    assert final.questions != twin.questions
    assert 0 < final.evaluated_twin["mean_difference_of_masked"] < 0.2
    masked = all_but(to_arrays(accidents), KNOWN["bystander"]).apply(to_arrays(accidents))
    assert 0 < mean_difference(final, twin, masked) < 0.2
    assert Bundle.from_bytes(final.to_bytes()).predict(masked).tobytes() == final.predict(masked).tobytes()
    with pytest.raises(ModelError, match="differs from its evaluated twin"):
        fit_final_model(
            twin, features, accidents.accidents, quick(), difference_at_most=0.001, details=accidents
        )  # fmt: skip


def test_a_model_file_keeps_the_name_of_the_twin() -> None:
    final = final_model("lightgbm")
    loaded = Bundle.from_bytes(final.to_bytes())
    assert loaded.evaluated_twin == final.evaluated_twin
    check_twin(loaded, Bundle.from_bytes(small_models()["lightgbm"].trained.bundle.to_bytes()), "lightgbm")
    with pytest.raises(ModelError, match="not fitted by the recipe"):
        check_twin(loaded, small_models()["xgboost"].trained.bundle, "lightgbm")


def test_a_final_model_that_differs_too_much_is_refused() -> None:
    accidents, features = small_year()
    twin = small_models()["lightgbm"].trained.bundle
    with pytest.raises(ModelError, match=r"differs from its evaluated twin by .* more than final_difference_at_most"):
        fit_final_model(twin, features, accidents.accidents, SETTINGS, difference_at_most=0.001)
    assert mean_difference(twin, twin, features) == 0


def test_no_accident_of_its_months_is_held_out_from_a_final_model() -> None:
    accidents, features = small_year()
    twin, final = small_models()["lightgbm"].trained.bundle, final_model("lightgbm")
    assert len(held_out_rows({"twin": twin}, features, accidents.accidents)) == twin.rows["test"]
    with pytest.raises(DataError, match="shipped is a final model, fitted on its test set: measure its evaluated twin"):
        held_out_rows({"shipped": final}, features, accidents.accidents)
    later = accidents.accidents.assign(an=accidents.accidents["an"] + 4)  # leap years both
    assert len(held_out_rows({"shipped": final}, features, later)) == final.rows["training"]
