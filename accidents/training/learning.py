"""How much a model gains from more accidents: one training for each amount, measured on the same test part."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from accidents.configuration.training import TrainingSettings
from accidents.evaluation.metrics import compute_metrics
from accidents.tables import Subset
from accidents.training.split import labelled, parts_of, uniform
from accidents.training.train import train

SHARES = (0.05, 0.1, 0.25, 0.5, 1.0)
_MOST = 20_000  # accidents of the learned ones that are scored again


def learning_curve(
    model_type: str,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    level: str,
    shares: Sequence[float] = SHARES,
) -> pd.DataFrame:
    """Train on growing shares of the accidents outside the test part, which stays the same.

    Args:
        model_type: one of `accidents.models.model_types()`.
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: how to train.
        level: level of information, one of `accidents.columns.LEVELS`.
        shares: of the accidents outside the test part.

    Returns:
        One row a share: `accidents` learned from, ROC-AUC on them (`learned`), and on the test part (`test`).

    Raises:
        ModelError: a share has too few accidents of a class.
    """
    frame = labelled(features, accidents)
    test = parts_of(frame, settings.split, settings.seed) == Subset.TEST
    draw = uniform(frame["Num_Acc"].to_numpy(), int(np.random.default_rng(settings.seed + 1).integers(2**63)))
    found = []
    for share in shares:
        kept = test | (draw < share)
        some, theirs = features[kept].reset_index(drop=True), accidents[kept].reset_index(drop=True)
        trained = train(model_type, some, theirs, settings, level=level)
        learned = labelled(some, theirs)[~test[kept]].query("priority >= 0").head(_MOST)
        bundle = trained.bundle
        labels, probabilities = learned["priority"].to_numpy(), bundle.predict(learned)
        on_learned = compute_metrics(labels, probabilities, bundle.threshold, settings.calibration_bins)["roc_auc"]
        number = bundle.rows[Subset.TRAINING] + bundle.rows[Subset.VALIDATION]
        found.append((number, on_learned, bundle.metrics[Subset.TEST]["roc_auc"]))
    return pd.DataFrame(found, columns=["accidents", "learned", "test"])
