"""One function a pipeline: run it, leave its files, and say what came out and where to look next."""

import argparse
import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accidents.configuration.loading import Configuration
from cli import output_files, tables
from cli.model_choice import chosen_file
from cli.runs import latest_run, run_pipeline
from cli.timing import add, phase, summary
from cli.tracking import print_registered, tracking_store

if TYPE_CHECKING:
    import pandas as pd

WITHOUT_PLACE = "without_place"


def ingestion(configuration: Configuration, given: argparse.Namespace) -> None:
    """Read, validate and clean; print what was found in the files and what became of it."""
    from pipelines.ingestion import ingestion as pipeline

    run = _run(pipeline, configuration, given, fingerprint=_fingerprint(configuration))
    _leave_tables(run, configuration, given)
    report = output_files.output(run, "ingest", "validation_report").load()
    tables.print_ingestion(report, run.steps["ingest"].run_metadata, _ingestion_folder(configuration, "ingestion"))


def features(configuration: Configuration, given: argparse.Namespace) -> None:
    """Build the features."""
    from pipelines.features import features as pipeline

    run = _run(pipeline, configuration, given, fingerprint=_fingerprint(configuration))
    _leave_tables(run, configuration, given)


def training(configuration: Configuration, given: argparse.Namespace) -> None:
    """Train, evaluate and compare; leave bundles, figures and reports; print the comparison."""
    without_place = None
    if configuration.training.compare_without_geography:
        blind = configuration.model_copy(
            update={"features": configuration.features.model_copy(update={"geography": False})}
        )
        print("first without the place", flush=True)
        without_place = str(output_files.output(_train(blind, given), "compare_models", "evaluations").id)
        print("now with the place", flush=True)
    store = tracking_store(configuration.tracking)
    run = _train(configuration, given, without_place=without_place, store=store)
    settings = configuration.training
    comparison = output_files.output(run, "compare_models", "model_comparison").load()
    best = output_files.output(run, "compare_models", "best_model_type").load()
    tables.print_comparison(comparison, best, settings.models_folder, settings.reports_folder)
    if store:
        print_registered(output_files.output(run, "track_training", "registered_models").load())
    print(summary())


def _train(configuration: Configuration, given: argparse.Namespace, **arguments: Any) -> Any:
    from pipelines.training import training as pipeline

    fingerprint = _fingerprint(configuration)
    version = model_version(configuration, fingerprint)
    run = _run(pipeline, configuration, given, version=version, fingerprint=fingerprint, **arguments)
    _leave_tables(run, configuration, given)
    settings = configuration.training
    place = Path() if configuration.features.geography else Path(WITHOUT_PLACE)
    with phase("files"):
        output_files.write_models(run, settings.models, settings.models_folder / place, settings.reports_folder / place)
    return run


def evaluation(configuration: Configuration, given: argparse.Namespace) -> None:
    """Measure the chosen model on the accidents of the source; leave figures and a report."""
    from pipelines.evaluation import evaluation as pipeline

    run = _run(
        pipeline,
        configuration,
        given,
        fingerprint=_fingerprint(configuration),
        bundle=_chosen_model(configuration, given),
    )
    found = output_files.output(run, "evaluate_model", "evaluation").load()
    folder = configuration.training.reports_folder / "evaluation"
    output_files.write_json(folder / "metrics.json", found)
    output_files.write_text(
        folder / "report.html", output_files.output(run, "evaluate_model", "evaluation_report").load()
    )
    tables.print_evaluation(found, folder)


def inference(configuration: Configuration, given: argparse.Namespace) -> None:
    """Score the accidents of `--input` into `--output`."""
    from pipelines.inference import inference as pipeline

    target = str(Path(given.output).resolve())
    run = _run(
        pipeline, configuration, given, bundle=_chosen_model(configuration, given), source=given.input, target=target
    )
    tables.print_scoring(output_files.output(run, "score_accidents", "scoring").load(), given.output)


def labelled(configuration: Configuration, given: argparse.Namespace) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Features and accidents of the source in the same order, from the features pipeline."""
    from pipelines.features import features as pipeline

    run = _run(pipeline, configuration, given, fingerprint=_fingerprint(configuration))
    return output_files.output(run, "build_features", "features").load(), output_files.output(
        run, "ingest", "accidents"
    ).load()


def _chosen_model(configuration: Configuration, given: argparse.Namespace) -> str:
    """The model that was named, else that of best validation F1 of the latest training."""
    named = chosen_file(given, configuration)
    if named:
        return str(named)
    run = latest_run("training")
    best = output_files.output(run, "compare_models", "best_model_type").load()
    return str(output_files.output(run, f"train_{best}", f"{best}_model").id)


def _run(pipeline: Any, configuration: Configuration, given: argparse.Namespace, **arguments: Any) -> Any:
    folder = _ingestion_folder(configuration, pipeline.name)
    with phase("pipeline"):
        run = run_pipeline(
            pipeline,
            cache=not given.no_cache,
            debug=given.debug,
            on_failure=partial(_tell_of_data, folder=folder),
            configuration=configuration,
            **arguments,
        )
    with phase("files"):
        output_files.write_ingestion(run, folder)
    for name, step in run.steps.items():
        if str(step.status) == "completed":
            seconds = (step.end_time - step.start_time).total_seconds()
            add(name, seconds)
            add("pipeline", -seconds)
    return run


def _ingestion_folder(configuration: Configuration, pipeline: str) -> Path:
    """Where a pipeline reports on the data that it read; data to measure or score are not those of the models."""
    folder = configuration.training.reports_folder
    return (folder / pipeline if pipeline in {"evaluation", "inference"} else folder) / "ingestion"


def _tell_of_data(run: Any, folder: Path) -> str:
    """Leave what a failed run found in the data, and say where if it was the data that stopped it."""
    written = output_files.write_ingestion(run, folder)
    step = output_files.reading_step(run)
    refused = written and str(step.status) == "failed"
    return f"All that was found in the data: {', '.join(map(str, written))}" if refused else ""


def _fingerprint(configuration: Configuration) -> str:
    """Checksum of the files of the source, which are generated or downloaded now where they are not there yet."""
    from accidents.sources.fingerprint import fingerprint
    from accidents.sources.resolve import resolve_editions

    source = configuration.ingestion.source
    with phase("files of the source"):
        editions = resolve_editions(source, progress=True)
        found = fingerprint(editions)
        output_files.write_manifest(source.data_folder / "manifest.json", source.location, found, editions)
    return found


def model_version(configuration: Configuration, fingerprint: str) -> Any:
    """The version of the ZenML model that a training makes: source, level, a digest of data, configuration and code."""
    from zenml import Model

    from steps.caching import code_digest

    steps = ("ingestion.ingest", "features.build_features", "training.train_model", "training.compare_models")
    models = (f"accidents.models.{model_type}" for model_type in configuration.training.models)
    code = code_digest(*(f"steps.{step}" for step in steps), *models)
    identity = f"{fingerprint}{configuration.model_dump_json()}{code}"
    source = Path(configuration.ingestion.source.location).name
    name = f"{source}-{configuration.features.level}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    return Model(name="accident_priority", version=name)


def _leave_tables(run: Any, configuration: Configuration, given: argparse.Namespace) -> None:
    with phase("files"):
        output_files.write_tables(run, configuration.ingestion.source.data_folder.parent, csv=given.csv)
