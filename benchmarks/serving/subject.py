"""What is measured: models, the accidents that they are asked for, and what they have to answer."""

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
from accidents.features import build
from accidents.ingestion import ingest
from accidents.requests.serialisation import to_requests
from accidents.sources.resolve import resolve_editions
from accidents.tables import Accidents
from accidents.training import train
from serving.schemas.requests import accident_model

LEVEL = "call"


@dataclass(frozen=True)
class Subject:
    """Models by type, and accidents none of the models has learned from as far as there are enough of them.

    `texts` are the accidents as JSON in the nested form; `features` are theirs, row by row.
    """

    bundles: Mapping[str, Bundle]
    texts: list[bytes]
    features: pd.DataFrame

    def rows(self, model_type: str) -> npt.NDArray[np.float32]:
        """What a model sees of the accidents."""
        return self.bundles[model_type].matrix(self.features)

    def probabilities(self, model_type: str) -> npt.NDArray[np.float64]:
        """What a model says of the accidents, float64 (n): what it answers as a batch pipeline."""
        return self.bundles[model_type].predict(self.features)


def subject(source: str, model_path: Path | None, types: tuple[str, ...], count: int, folder: Path) -> Subject:
    """Read accidents, and train models on the training set of them or take the one of a file.

    Args:
        source: `sample`, or a folder of BAAC files.
        model_path: a bundle in place of models of `types`.
        types: model types to train.
        count: how many accidents to ask for.
        folder: for what is generated.
    """
    settings = SourceSettings(location=source, data_folder=folder)
    accidents = ingest(resolve_editions(settings), IngestionSettings(source=settings)).accidents
    features = build(accidents)
    if model_path:
        bundle = Bundle.load(model_path)
        bundles, tested = {bundle.model_type: bundle}, np.empty(0, np.int64)
    else:
        bundles = {}
        for name in types:
            trained = train(name, features, accidents.accidents, TrainingSettings(), level=LEVEL)
            bundles[name] = trained.bundle
            tested = trained.predictions.query("part == 'test'")["Num_Acc"].to_numpy()
    chosen: list[int] = []
    texts: list[bytes] = []
    model = accident_model()
    candidates = _in_order(accidents, tested)
    for number, request in zip(candidates, to_requests(accidents, candidates), strict=True):
        text = orjson.dumps(request)
        if len(texts) < count and _described(model, text):
            chosen.append(number)
            texts.append(text)
    return Subject(bundles, texts, features.set_index("Num_Acc", drop=False).loc[chosen].reset_index(drop=True))


def _described(model: type[BaseModel], text: bytes) -> bool:
    """Whether a request is one that the description of the service allows; it takes more than that."""
    try:
        model.model_validate_json(text)
    except ValidationError:
        return False
    return True


def _in_order(accidents: Accidents, tested: npt.NDArray[np.int64]) -> list[int]:
    """Accidents of the test set in an order of chance, then others."""
    chance = np.random.default_rng(0)
    ids = accidents.accidents["Num_Acc"].to_numpy()
    others = np.setdiff1d(ids, tested)
    return np.concatenate([chance.permutation(tested), chance.permutation(others)]).tolist()
