"""Monitoring pipeline: accidents of a source, or the prediction log, against the reference of a model."""

from pipelines.defaults import ConfigurationParameter, ingest_source, resolve_configuration, resolve_fingerprint
from pipelines.definition import pipeline
from pipelines.models import model_input
from steps.monitoring.monitor_accidents import monitor_accidents
from steps.monitoring.monitor_predictions import monitor_predictions
from steps.monitoring.publish_monitoring import publish_monitoring
from tracking.connection import store_identity


@pipeline("monitoring", reads_source=True)
def monitoring(
    configuration: ConfigurationParameter = None,
    fingerprint: str | None = None,
    bundle: str | None = None,
    model_name: str | None = None,
    version: str | None = None,
    predictions: bool = False,
) -> None:
    """Compare accidents with those that a model was trained on, and publish the result.

    Args:
        configuration: the effective configuration, or the keys that differ from the files in `configs/`.
        fingerprint: checksum of the files of the source; computed where None, and in the steps where empty.
        bundle: id of a model artifact, or the path of a bundle.
        model_name: a registered model; without it and `bundle` the best one of the latest training.
        version: its number, stage or alias; Production where None.
        predictions: read the prediction log of the service in place of the source.
    """
    configuration = resolve_configuration(configuration)
    model = model_input(configuration, bundle, model_name, version)
    if predictions:
        result, report, _ = monitor_predictions(
            model=model,
            settings=configuration.monitoring,
            records=configuration.serving.records,
            ingestion=configuration.ingestion,
        )
    else:
        fingerprint = resolve_fingerprint(configuration.ingestion.source, fingerprint)
        accidents, vehicles, people, *_ = ingest_source(configuration, fingerprint)
        result, report, _ = monitor_accidents(
            model=model,
            accidents=accidents,
            vehicles=vehicles,
            people=people,
            settings=configuration.monitoring,
            ingestion=configuration.ingestion,
        )
    publish_monitoring(
        monitoring=result,
        report=report,
        records=configuration.serving.records,
        tracking=configuration.tracking,
        store=store_identity(configuration.tracking),
    )
