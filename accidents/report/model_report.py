"""Trained models held against labelled accidents: one of them, or all of a training, with the pages that tell of it.

Figures come from `evaluation`, explanations from `explanation`, pages from `report`; here is what goes with what.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation.evaluate import compare, evaluate
from accidents.evaluation.results import Difference, Evaluation
from accidents.explanation.importance import Explanation, explain
from accidents.plots.style import Picture, draw
from accidents.report.card import Card, model_card
from accidents.report.comparison import comparison_report, ranked_by_f1
from accidents.report.evaluation import evaluation_report, pictures
from accidents.report.files import REPORT, Reports
from accidents.report.subject import Subject
from accidents.sample.source_name import SAMPLE
from accidents.tables import LABEL, Subset
from accidents.worker_process import WorkerTask

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_PLOT_FILES = {"confusion": "confusion_matrix", "beeswarm": "shap_summary", "importance": "shap_importance"}
"""Files of pictures whose name in a report is not what people look for."""


@dataclass(frozen=True)
class Assessment:
    """One model on labelled accidents: its evaluation, what moves it, the HTML report, and the report's pictures.

    `drawn` are the pictures as they stand in the report.
    """

    evaluation: Evaluation
    explanation: Explanation
    report: str
    pictures: "dict[str, Figure]"
    drawn: dict[str, Picture]

    def files(self) -> dict[str, str]:
        """What is kept of it, text by file name."""
        return {
            REPORT: self.report,
            "evaluation.json": json.dumps(self.evaluation.model_dump(mode="json"), indent=1),
            "shap_importance.csv": self.explanation.features.to_csv(index=False),
            **{f"plots/{_PLOT_FILES.get(name, name)}.svg": picture.file for name, picture in self.drawn.items()},
        }


@dataclass(frozen=True)
class Comparison:
    """All models of a training on its test part.

    `table` has one row a model, ranked by F1: `model_type accuracy precision recall f1_score roc_auc best_cv_score
    fit_seconds`. `evaluations` are `Evaluation`s as JSON, by model type; `best` is the type of best F1 on the
    validation part, which `report` and `card` describe. `reports` has the files of every model.
    """

    table: pd.DataFrame
    evaluations: dict[str, dict[str, Any]]
    best: str
    report: str
    comparison_report: str
    card: Card
    reports: Reports


def assess(
    bundle: Bundle,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    *,
    source: str,
    fingerprint: str,
    told: str,
) -> Assessment:
    """Measure a model on labelled accidents that it has not learned from (`accidents.training.held_out`).

    Args:
        bundle: the model.
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, bins, groups.
        source: where the accidents come from, as typed.
        fingerprint: of their files.
        told: which accidents these are, for the report.
    """
    X = bundle.matrix(features.reset_index(drop=True))
    labels = accidents[LABEL].to_numpy()
    groups = accidents[list(settings.group_columns)].reset_index(drop=True)
    evaluation = evaluate(labels, bundle.probability(X), bundle.threshold, groups=groups, settings=settings)
    subject = _subject(bundle, source, fingerprint, told)
    return _assessment(subject, evaluation, explain(bundle, X, settings), settings)


def assess_test_part(
    bundle: Bundle,
    predictions: pd.DataFrame,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    *,
    source: str,
) -> Assessment:
    """Measure a model on the test part of its own training.

    Args:
        bundle: the model.
        predictions: `Trained.predictions` of it.
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, bins, groups.
        source: where the accidents come from, as typed.
    """
    part = _test_part(predictions)
    rows = _rows_of(part["Num_Acc"], accidents)
    evaluation = _evaluated(part, bundle, accidents.loc[rows], settings)
    subject = _subject(bundle, source, bundle.fingerprint, _told(part))
    return _assessment(subject, evaluation, explain(bundle, bundle.matrix(features.loc[rows]), settings), settings)


def _assessment(
    subject: Subject, evaluation: Evaluation, explanation: Explanation, settings: EvaluationSettings
) -> Assessment:
    figures = pictures(subject, evaluation, explanation, settings)
    drawn = {name: draw(figure) for name, figure in figures.items()}
    report = evaluation_report(subject, evaluation, explanation, settings, drawn)
    return Assessment(evaluation, explanation, report, figures, drawn)


def _evaluated(part: pd.DataFrame, bundle: Bundle, accidents: pd.DataFrame, settings: EvaluationSettings) -> Evaluation:
    return evaluate(
        part["label"].to_numpy(),
        part["probability"].to_numpy(),
        bundle.threshold,
        groups=accidents[list(settings.group_columns)].reset_index(drop=True),
        settings=settings,
    )


def _told(part: pd.DataFrame) -> str:
    return f"test part, {len(part):,} accidents"


def compare_models(
    bundles: Sequence[Bundle],
    predictions: Sequence[pd.DataFrame],
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    *,
    source: str,
    without_place: Mapping[str, Any] | None = None,
) -> Comparison:
    """Measure the models of one training on its test part, rank them, and describe the best.

    Args:
        bundles: models of different types, trained on one split.
        predictions: `Trained.predictions` of each of them.
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, bins, groups.
        source: where the accidents come from, as typed.
        without_place: summaries by model type of models trained without the place, for the card.
    """
    tested = {b.model_type: _test_part(p) for b, p in zip(bundles, predictions, strict=True)}
    models = {bundle.model_type: bundle for bundle in bundles}
    rows = _rows_of(next(iter(tested.values()))["Num_Acc"], accidents)
    measured, X = accidents.loc[rows], features.loc[rows]
    subjects, evaluations, explanations, drawn = {}, {}, {}, []
    # A second process draws the reports but for the last: of one that takes long to explain, if there is one.
    order = sorted(models, key=lambda name: name in settings.explained_accidents_of)
    for name in order:
        bundle, part = models[name], tested[name]
        subjects[name] = _subject(bundle, source, bundle.fingerprint, _told(part))
        evaluations[name] = _evaluated(part, bundle, measured, settings)
        explanations[name] = explain(bundle, bundle.matrix(X), settings)
        told = subjects[name], evaluations[name], explanations[name], settings
        drawn.append(WorkerTask(_files, *told) if name != order[-1] else _files(*told))
    ranking = ranked_by_f1({name: evaluations[name] for name in models})
    best = max(models, key=lambda name: models[name].metrics["validation"]["f1"])
    compared = comparison_report(
        [subjects[name] for name in ranking],
        [evaluations[name] for name in ranking],
        _differences(ranking, tested, models, settings),
        chosen=subjects[best].name,
    )
    files = {name: one.result() if isinstance(one, WorkerTask) else one for name, one in zip(order, drawn, strict=True)}
    return Comparison(
        table=_table(ranking, models, evaluations),
        evaluations={name: evaluations[name].model_dump(mode="json") for name in ranking},
        best=best,
        report=files[best][REPORT],
        comparison_report=compared,
        card=model_card(subjects[best], evaluations[best], explanations[best], (without_place or {}).get(best)),
        reports=Reports({name: files[name] for name in ranking}),
    )


def _files(
    subject: Subject, evaluation: Evaluation, explanation: Explanation, settings: EvaluationSettings
) -> dict[str, str]:
    return _assessment(subject, evaluation, explanation, settings).files()


def _test_part(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions[predictions["part"] == Subset.TEST].reset_index(drop=True)


def _rows_of(ids: pd.Series, accidents: pd.DataFrame) -> np.ndarray:
    """Positions of accidents by id; the accidents are sorted by it."""
    return np.searchsorted(accidents["Num_Acc"].to_numpy(), ids.to_numpy())


def _subject(bundle: Bundle, source: str, fingerprint: str, accidents: str) -> Subject:
    return Subject(
        metadata=bundle.metadata(),
        source=source,
        accidents=accidents,
        fingerprint=fingerprint,
        synthetic=source == SAMPLE,
    )


def _table(ranking: Sequence[str], models: Mapping[str, Bundle], evaluations: Mapping[str, Evaluation]) -> pd.DataFrame:
    rows = [
        {
            "model_type": name,
            "accuracy": evaluations[name].accuracy,
            "precision": evaluations[name].precision,
            "recall": evaluations[name].recall,
            "f1_score": evaluations[name].f1,
            "roc_auc": evaluations[name].roc_auc,
            "best_cv_score": models[name].best_cv_score,
            "fit_seconds": models[name].fit_seconds,
        }
        for name in ranking
    ]
    return pd.DataFrame(rows).astype({"best_cv_score": "float64"})


def _differences(
    ranking: Sequence[str],
    tested: Mapping[str, pd.DataFrame],
    models: Mapping[str, Bundle],
    settings: EvaluationSettings,
) -> list[Difference]:
    """F1 of each model less that of the first of the ranking, paired."""
    labels = tested[ranking[0]]["label"].to_numpy()
    # F1 knows decisions alone; resamples of two values are measured far faster than those of probabilities.
    scored = {
        name: ((tested[name]["probability"].to_numpy() >= models[name].threshold).astype(np.float64), 1.0)
        for name in ranking
    }
    return [compare(labels, scored[name], scored[ranking[0]], settings=settings)["f1"] for name in ranking]
