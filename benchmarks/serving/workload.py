"""Workload of the benchmarks: models, accidents as requests, and their expected probabilities."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
from pydantic import BaseModel, ValidationError

from accidents.bundle import Bundle
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.source import SourceSettings
from accidents.configuration.training import TrainingSettings
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.requests.serialisation import to_requests
from accidents.sources.resolve import resolve_editions
from accidents.tables import Accidents
from accidents.training import train
from serving.schemas.requests import accident_model

LEVEL = "call"


@dataclass(frozen=True)
class Workload:
    """Models by type, and accidents: those of the test set first, then others if there are not enough.

    `texts` are the accidents as JSON in the nested form; `features` are their features, row by row.
    """

    bundles: Mapping[str, Bundle]
    texts: list[bytes]
    features: pd.DataFrame

    def rows(self, model_type: str) -> npt.NDArray[np.float32]:
        """Inputs of a model, float32 (n, columns)."""
        return self.bundles[model_type].matrix(self.features)

    def probabilities(self, model_type: str) -> npt.NDArray[np.float64]:
        """Probabilities of the batch pipeline, float64 (n)."""
        return self.bundles[model_type].predict(self.features)


def load_workload(
    source: str, model_path: Path | None, types: tuple[str, ...], count: int, folder: Path, *, conforming: bool = True
) -> Workload:
    """Read accidents, and train models on their training set or load one from a file.

    Args:
        source: `sample`, or a folder of BAAC files.
        model_path: a bundle, instead of training `types`.
        types: model types to train.
        count: number of accidents.
        folder: for generated data.
        conforming: leave out accidents that other servers, which follow the OpenAPI schema, would refuse.
    """
    settings = SourceSettings(location=source, data_folder=folder)
    accidents = ingest(resolve_editions(settings), IngestionSettings(source=settings)).accidents
    features = feature_frame(accidents)
    if model_path:
        bundle = Bundle.load(model_path)
        bundles, tested = {bundle.model_type: bundle}, np.empty(0, np.int64)
    else:
        bundles = {}
        for name in types:
            trained = train(name, features, accidents.accidents, TrainingSettings(), level=LEVEL)
            bundles[name] = trained.bundle
            tested = trained.predictions.query("subset == 'test'")["Num_Acc"].to_numpy()
    chosen: list[int] = []
    texts: list[bytes] = []
    model = accident_model()
    candidates = _shuffled(accidents, tested)
    for number, request in zip(candidates, to_requests(accidents, candidates), strict=True):
        text = orjson.dumps(request)
        if len(texts) < count and (not conforming or _conforms(model, text)):
            chosen.append(number)
            texts.append(text)
    return Workload(bundles, texts, features.set_index("Num_Acc", drop=False).loc[chosen].reset_index(drop=True))


def _conforms(model: type[BaseModel], text: bytes) -> bool:
    """Whether a request conforms to the OpenAPI schema of the service, which accepts more than that."""
    try:
        model.model_validate_json(text)
    except ValidationError:
        return False
    return True


def _shuffled(accidents: Accidents, tested: npt.NDArray[np.int64]) -> list[int]:
    """Accidents of the test set in random order, then all others."""
    chance = np.random.default_rng(0)
    ids = accidents.accidents["Num_Acc"].to_numpy()
    others = np.setdiff1d(ids, tested)
    return np.concatenate([chance.permutation(tested), chance.permutation(others)]).tolist()
