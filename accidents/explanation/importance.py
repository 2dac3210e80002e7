"""What moves a model most, over many accidents: mean absolute SHAP values with intervals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.explanation.topics import describe, topic


@dataclass(frozen=True)
class Explanation:
    """Contributions of features to the predictions of a sample of accidents.

    `values` and `contributions` have one row an accident and a column a feature, under its name for users: float32
    features, and float64 SHAP values in `unit`, `log-odds` or `probability`. `features` and `topics` rank these columns
    and the topics they belong to: `feature`, `importance`, `low`, `high`, `share` (of the sum of all importances), the
    greatest first.
    """

    values: pd.DataFrame
    contributions: pd.DataFrame
    unit: str
    features: pd.DataFrame
    topics: pd.DataFrame


def explain(bundle: Bundle, X: npt.NDArray[np.float32], settings: EvaluationSettings) -> Explanation:
    """Explain a model on some rows of `X`, as many as is configured for its type, drawn with the configured seed.

    Args:
        bundle: the model.
        X: rows of `bundle.matrix`, float32 (n, k).
        settings: accidents to draw, resamples, confidence, seed.
    """
    generator = np.random.default_rng(settings.seed)
    wanted = settings.explained_accidents_of.get(bundle.model_type, settings.explained_accidents)
    drawn = np.sort(generator.permutation(len(X))[:wanted])
    chosen = np.ascontiguousarray(X[drawn])
    shares = bundle.model.contributions(chosen)
    names = _names(bundle.columns)
    contributions = pd.DataFrame(shares[:, :-1], columns=names)
    by_topic = pd.DataFrame(shares[:, :-1].T).groupby([topic(column) for column in bundle.columns]).sum().T
    return Explanation(
        values=pd.DataFrame(chosen, columns=names),
        contributions=contributions,
        unit=bundle.model.EXPLAINED,
        features=importance(contributions, settings),
        topics=importance(by_topic, settings),
    )


def importance(contributions: pd.DataFrame, settings: EvaluationSettings) -> pd.DataFrame:
    """Mean absolute contribution of every column with a bootstrap interval over accidents.

    Returns:
        `feature`, `importance`, `low`, `high`, `share`; sorted, the greatest importance first.
    """
    size = np.abs(contributions.to_numpy())
    generator = np.random.default_rng(settings.seed)
    weights = generator.multinomial(len(size), np.full(len(size), 1 / len(size)), size=settings.resamples)
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(weights @ size / len(size), (tail, 1 - tail), axis=0)
    mean = size.mean(axis=0)
    table = {"feature": contributions.columns, "importance": mean, "low": low, "high": high, "share": mean / mean.sum()}
    return pd.DataFrame(table).sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _names(columns: tuple[str, ...]) -> list[str]:
    """What columns are called; a name that several columns have is followed by the column."""
    names = [describe(column) for column in columns]
    return [
        name if names.count(name) == 1 else f"{name} ({column})" for column, name in zip(columns, names, strict=True)
    ]
