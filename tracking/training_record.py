"""What is tracked of a training: its models with evaluations, reports and stored accidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.errors import ModelError, RequestError
from accidents.evaluation.results import Evaluation
from accidents.inference.json_scoring import NESTED_COLUMN, predict_json
from accidents.inference.smoke_test import compare_probabilities
from accidents.report.report_files import ReportFiles
from accidents.training.final_model import check_twin


@dataclass(frozen=True)
class ModelRecord:
    """One model of a training.

    Attributes:
        bundle: the evaluated model.
        final: its final model; None without one.
        evaluation: the evaluation on the test set.
        files: text files of its report by name.
        stored: accidents of the test set to store with it: `accident` (JSON text), `label`, `probability`.
    """

    bundle: Bundle
    evaluation: Evaluation
    files: Mapping[str, str]
    stored: pd.DataFrame
    final: Bundle | None = None

    @property
    def answering(self) -> Bundle:
        """The model that answers requests: the final one, where there is one."""
        return self.final or self.bundle


@dataclass(frozen=True)
class TrainingRecord:
    """One training.

    Attributes:
        name: run name.
        source: where the accidents come from, as typed.
        fingerprint: checksum of the files of the source.
        models: the trained models.
        best: the proposed model type.
        pages: text files of the training by name.
        tags: ZenML run and stack, code version.
    """

    name: str
    source: str
    fingerprint: str
    models: Sequence[ModelRecord]
    best: str
    pages: Mapping[str, str]
    tags: Mapping[str, str]


def build_training_record(
    bundles: Sequence[Bundle],
    samples: Sequence[pd.DataFrame],
    evaluations: Mapping[str, Any],
    reports: ReportFiles,
    *,
    best: str,
    pages: Mapping[str, str],
    source: str,
    tags: Mapping[str, str],
    finals: Sequence[Bundle] = (),
) -> TrainingRecord:
    """Build the record of a training from the outputs of its steps.

    Args:
        bundles: the models.
        samples: for each model, accidents of its test set to store with it, from `sample_accidents`.
        evaluations: `Comparison.evaluations`, by model type.
        reports: `ModelComparison.report_files`.
        best: the proposed model type.
        pages: text files of the training by name.
        source: where the accidents come from, as typed.
        tags: ZenML run and stack, code version.
        finals: for each model, its final model; empty without.

    Raises:
        ModelError: a model does not reproduce its predictions of these accidents from their JSON, or a final model is
            that of another one.
    """
    models = [
        ModelRecord(
            bundle,
            Evaluation.model_validate(evaluations[bundle.model_type]),
            reports.files[bundle.model_type],
            _stored_accidents(bundle, final, sample),
            final,
        )
        for bundle, sample, final in zip(bundles, samples, finals or repeat(None, len(bundles)), strict=True)
    ]
    trained_at = max(bundle.trained_at for bundle in bundles).replace("T", " ")[: len("2024-01-01 00:00:00")]
    return TrainingRecord(
        name=f"{source.rstrip('/').rpartition('/')[2]} {bundles[0].level} {trained_at}",
        source=source,
        fingerprint=bundles[0].fingerprint,
        models=models,
        best=best,
        pages=pages,
        tags=tags,
    )


def _stored_accidents(bundle: Bundle, final: Bundle | None, stored: pd.DataFrame) -> pd.DataFrame:
    """Check by accidents of the test set that the model could be served: the smoke test of every deployment.

    Their probabilities are those of the final model, where there is one.
    """
    if final:
        check_twin(final, bundle, bundle.model_type)
    if stored.empty:
        return stored
    try:
        actual = predict_json(bundle, stored[[NESTED_COLUMN]])["probability"]
        failures = compare_probabilities(stored["probability"].tolist(), actual.to_numpy())
    except RequestError as error:
        failures = [str(error)]
    if failures:
        raise ModelError(
            f"{bundle.model_type} cannot be registered, as it would fail its smoke test: {'; '.join(failures)}"
        )
    return stored.assign(probability=predict_json(final, stored[[NESTED_COLUMN]])["probability"]) if final else stored
