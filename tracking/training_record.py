"""From what the steps of a training made to what is recorded of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.evaluation.results import Evaluation
from accidents.inference.smoke_test import stored_accidents
from accidents.report.report_files import ReportFiles
from accidents.tables import Accidents
from tracking.training_runs import ModelRecord, TrainingRecord

_SECONDS = len("2024-01-01T00:00:00")


def build_training_record(
    bundles: Sequence[Bundle],
    predictions: Sequence[pd.DataFrame],
    evaluations: Mapping[str, Any],
    reports: ReportFiles,
    accidents: Accidents,
    *,
    best: str,
    pages: Mapping[str, str],
    source: str,
    tags: Mapping[str, str],
    stored: int,
) -> TrainingRecord:
    """Put all that is to be recorded of a training together.

    Args:
        bundles: the models.
        predictions: for each of them, what it says of accidents that it has not learned from.
        evaluations: `Comparison.evaluations` of them.
        reports: `Comparison.reports` of them.
        accidents: the accidents of the training.
        best: the model type that compared best.
        pages: texts to keep with the training, by file name.
        source: where the accidents come from, as typed.
        tags: where the training ran, and with which code.
        stored: how many accidents to store with each model.
    """
    models = [
        ModelRecord(
            bundle,
            Evaluation.model_validate(evaluations[bundle.model_type]),
            reports.files[bundle.model_type],
            stored_accidents(predicted, accidents, stored),
        )
        for bundle, predicted in zip(bundles, predictions, strict=True)
    ]
    when = max(bundle.trained_at for bundle in bundles)[:_SECONDS].replace("T", " ")
    return TrainingRecord(
        name=f"{source.rstrip('/').rpartition('/')[2]} {bundles[0].level} {when}",
        source=source,
        fingerprint=bundles[0].fingerprint,
        models=models,
        best=best,
        pages=pages,
        tags=tags,
    )
