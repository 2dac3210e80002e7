"""Batch inference pipeline."""

from pipelines.defaults import ConfigurationParameter, resolve_configuration
from pipelines.definition import pipeline
from pipelines.models import model_input
from steps.inference.score_accidents import score_accidents


@pipeline("inference")
def inference(
    source: str,
    target: str,
    configuration: ConfigurationParameter = None,
    bundle: str | None = None,
    model_name: str | None = None,
    version: str | None = None,
) -> None:
    """Score the accidents of `source` and write them to `target`.

    Args:
        source: a folder of BAAC files, or one file of accidents.
        target: output file, `.csv`, `.parquet` or `.jsonl`.
        configuration: the effective configuration, or the keys that differ from the files in `configs/`.
        bundle: id of a model artifact, or the path of a bundle.
        model_name: a registered model; without it and `bundle` the best one of the latest training.
        version: its number, stage or alias; Production where None.
    """
    configuration = resolve_configuration(configuration)
    score_accidents(
        model=model_input(configuration, bundle, model_name, version),
        source=source,
        target=target,
        settings=configuration.inference,
        ingestion=configuration.ingestion,
        engine=configuration.engine,
    )
