"""One function a pipeline: run it, leave its files, and say what came out and where to look next."""

import argparse
from pathlib import Path
from typing import Any

from accidents.configuration.effective import Configuration
from accidents.sources import resolve
from accidents.sources.fingerprint import fingerprint as fingerprint_of
from cli import outputs, tables
from cli.runs import latest_run, run_pipeline


def ingestion(configuration: Configuration, given: argparse.Namespace) -> None:
    """Read, validate and clean; print what was mended, set aside and counted."""
    from pipelines.ingestion import ingestion as pipeline

    run = _run(pipeline, configuration, given)
    _leave_tables(run, configuration, given)
    tables.print_ingestion(outputs.output(run, "ingest", "validation_report").load(), run.steps["ingest"].run_metadata)


def features(configuration: Configuration, given: argparse.Namespace) -> None:
    """Build the features."""
    from pipelines.features import features as pipeline

    run = _run(pipeline, configuration, given)
    _leave_tables(run, configuration, given)


def training(configuration: Configuration, given: argparse.Namespace) -> None:
    """Train, evaluate and compare; leave bundles, metrics and reports; print the comparison."""
    from zenml import Model

    from pipelines.training import training as pipeline

    fingerprint = _fingerprint(configuration)
    model = Model(name="accident_priority", version=_version(configuration, fingerprint))
    run = _run(pipeline, configuration, given, model=model)
    _leave_tables(run, configuration, given)
    settings = configuration.training
    comparison = outputs.write_models(run, settings.models_folder, settings.reports_folder)
    tables.print_comparison(comparison, settings.models_folder, settings.reports_folder)
