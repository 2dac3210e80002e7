"""Batch inference pipeline."""

from zenml import pipeline

from accidents.configuration.loading import Configuration
from pipelines.models import model_input
from steps.inference.score_accidents import score_accidents


@pipeline(name="inference")
def inference(configuration: Configuration, bundle: str, source: str, target: str) -> None:
    """Score the accidents of `source` and write them to `target`.

    Args:
        configuration: the effective configuration.
        bundle: id of a model artifact, or the path of a bundle.
        source: a folder of BAAC files, or one file of accidents.
        target: output file, `.csv`, `.parquet` or `.jsonl`.
    """
    score_accidents(
        model=model_input(bundle),
        source=source,
        target=target,
        settings=configuration.inference,
        ingestion=configuration.ingestion,
    )
