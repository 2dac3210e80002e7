"""Feature importance of a model: mean absolute SHAP values over many accidents, with bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.explanation.topics import feature_name, feature_topic


@dataclass(frozen=True)
class Explanation:
    """SHAP values of a sample of accidents, and the importance of features and topics.

    Attributes:
        values: features, float32, one row an accident and one column a feature, under its name for users.
        contributions: SHAP values, float64, with the rows and columns of `values`.
        unit: of the SHAP values, `log-odds` or `probability`.
        features: importance of features, from `rank_importance`.
        topics: importance of topics, from `rank_importance`.
    """

    values: pd.DataFrame
    contributions: pd.DataFrame
    unit: str
    features: pd.DataFrame
    topics: pd.DataFrame


def explained_rows(model_type: str, count: int, settings: EvaluationSettings) -> npt.NDArray[np.intp]:
    """Positions of the accidents, out of `count`, on which a model is explained, drawn at random, in ascending order.

    Args:
        model_type: of the model.
        count: number of accidents.
        settings: sample size by model type, seed.
    """
    generator = np.random.default_rng(settings.seed)
    size = settings.explained_accidents_of.get(model_type, settings.explained_accidents)
    return np.sort(generator.permutation(count)[:size])


def explain_model(bundle: Bundle, sample: npt.NDArray[np.float32], settings: EvaluationSettings) -> Explanation:
    """Explain a model on a sample of accidents.

    Args:
        bundle: the model.
        sample: rows of `bundle.matrix`, float32 (n, k).
        settings: resamples, confidence, seed.
    """
    shap_values = bundle.shap_values(sample)[:, :-1]
    names = _unique_names(bundle.matrix_columns)
    contributions = pd.DataFrame(shap_values, columns=names)
    by_topic = pd.DataFrame(shap_values.T).groupby([feature_topic(column) for column in bundle.matrix_columns]).sum().T
    return Explanation(
        values=pd.DataFrame(sample, columns=names),
        contributions=contributions,
        unit=bundle.model.SHAP_UNIT,
        features=rank_importance(contributions, settings),
        topics=rank_importance(by_topic, settings),
    )


def rank_importance(contributions: pd.DataFrame, settings: EvaluationSettings) -> pd.DataFrame:
    """Compute the mean absolute SHAP value of every column, with a bootstrap interval over accidents.

    Args:
        contributions: SHAP values, one row an accident.
        settings: resamples, confidence, seed.

    Returns:
        `feature`, `importance`, `low`, `high`, `share` (of the sum of all importances), the greatest first.
    """
    size = np.abs(contributions.to_numpy())
    generator = np.random.default_rng(settings.seed)
    weights = generator.multinomial(len(size), np.full(len(size), 1 / len(size)), size=settings.resamples)
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(weights @ size / len(size), (tail, 1 - tail), axis=0)
    mean = size.mean(axis=0)
    table = {"feature": contributions.columns, "importance": mean, "low": low, "high": high, "share": mean / mean.sum()}
    return pd.DataFrame(table).sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _unique_names(columns: tuple[str, ...]) -> list[str]:
    """Return the names of columns for users; a name that several columns have is followed by the column."""
    names = [feature_name(column) for column in columns]
    return [
        name if names.count(name) == 1 else f"{name} ({column})" for column, name in zip(columns, names, strict=True)
    ]
