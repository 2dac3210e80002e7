"""A small model of every type, trained once on a small synthetic year, for the tests of what comes after training."""

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.source import SampleSettings, SourceSettings
from accidents.configuration.training import ModelSettings, TrainingSettings
from accidents.explanation.importance import Explanation, explain_model, explained_rows
from accidents.features import feature_frame
from accidents.features.arrays import to_arrays
from accidents.ingestion import ingest
from accidents.models import model_types
from accidents.sources.resolve import resolve_editions
from accidents.tables import LABEL, Accidents
from accidents.training import TrainingResult, train
from accidents.training.value_distributions import learn_questions
from tests.hyperparameters import by_type

SMALL = by_type(rounds=30, n_estimators=10, min_samples_leaf=10)
"""Hyperparameters by model type."""


@dataclass(frozen=True)
class Scored:
    """A trained model, what its matrix has for the test set, and the rows of these accidents."""

    trained: TrainingResult
    X: npt.NDArray[np.float32]
    test: pd.DataFrame
    places: pd.DataFrame

    def explain(self, settings: EvaluationSettings) -> Explanation:
        """The explanation of the model on accidents of the test set."""
        bundle = self.trained.bundle
        return explain_model(bundle, self.X[explained_rows(bundle.model_type, len(self.X), settings)], settings)


@cache
def small_year() -> tuple[Accidents, pd.DataFrame]:
    """1,500 synthetic accidents and their features."""
    with tempfile.TemporaryDirectory() as folder:
        source = SourceSettings(data_folder=Path(folder), sample=SampleSettings(accidents=1500))
        accidents = ingest(resolve_editions(source), IngestionSettings(source=source)).accidents
    return accidents, feature_frame(accidents)


@cache
def small_models() -> dict[str, Scored]:
    """One model a type, trained at level `call` on the small year."""
    accidents, features = small_year()
    fast = {name: ModelSettings(parameters=SMALL[name]) for name in model_types()}
    configured = TrainingSettings(threads=1, model_settings=fast)
    models = {}
    for name in model_types():
        trained = train(name, features, accidents.accidents, configured, level="call", fingerprint="0123456789abcdef")
        test = trained.predictions.query("subset == 'test'").reset_index(drop=True)
        rows = features.set_index("Num_Acc", drop=False).loc[test["Num_Acc"]].reset_index(drop=True)
        places = accidents.accidents.set_index("Num_Acc").loc[test["Num_Acc"]].reset_index(drop=True)
        models[name] = Scored(trained, trained.bundle.matrix(rows), test, places)
    return models


@cache
def asking_model(name: str = "lightgbm") -> Bundle:
    """A small model that ranks questions, too."""
    bundle = small_models()[name].trained.bundle
    arrays, labels = to_arrays(small_year()[0]), small_year()[0].accidents[LABEL].to_numpy(np.int8)
    return replace(bundle, questions=learn_questions(bundle, arrays, (arrays, labels), seed=0))
