"""One function a pipeline: run it, leave its files, and say what came out and where to look next."""

import argparse
import hashlib
from pathlib import Path
from typing import Any

from accidents.configuration.effective import Configuration
from cli import outputs, tables
from cli.runs import latest_run, run_pipeline
from cli.timing import add, phase, summary

WITHOUT_PLACE = "without_place"


def ingestion(configuration: Configuration, given: argparse.Namespace) -> None:
    """Read, validate and clean; print what was found in the files and what became of it."""
    from pipelines.ingestion import ingestion as pipeline

    run = _run(pipeline, configuration, given, fingerprint=_fingerprint(configuration))
    _leave_tables(run, configuration, given)
    report = outputs.output(run, "ingest", "validation_report").load()
    tables.print_ingestion(report, run.steps["ingest"].run_metadata)


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
        without_place = str(outputs.output(_train(blind, given), "compare_models", "evaluations").id)
        print("now with the place", flush=True)
    run = _train(configuration, given, without_place=without_place)
    settings = configuration.training
    comparison = outputs.output(run, "compare_models", "model_comparison").load()
    tables.print_comparison(comparison, settings.models_folder, settings.reports_folder)
    print(summary())


def _train(configuration: Configuration, given: argparse.Namespace, **arguments: Any) -> Any:
    from zenml import Model

    from pipelines.training import training as pipeline

    fingerprint = _fingerprint(configuration)
    version = Model(name="accident_priority", version=_version(configuration, fingerprint))
    run = _run(pipeline, configuration, given, version=version, fingerprint=fingerprint, **arguments)
    _leave_tables(run, configuration, given)
    settings = configuration.training
    place = Path() if configuration.features.geography else Path(WITHOUT_PLACE)
    with phase("files"):
        outputs.write_models(run, settings.models, settings.models_folder / place, settings.reports_folder / place)
    return run


def evaluation(configuration: Configuration, given: argparse.Namespace) -> None:
    """Measure the chosen model on the accidents of the source; leave figures and a report."""
    from pipelines.evaluation import evaluation as pipeline

    run = _run(pipeline, configuration, given, fingerprint=_fingerprint(configuration), bundle=_chosen_model(given))
    found = outputs.output(run, "evaluate_model", "evaluation").load()
    folder = configuration.training.reports_folder / "evaluation"
    outputs.write_json(folder / "metrics.json", found)
    outputs.write_text(folder / "report.html", outputs.output(run, "evaluate_model", "evaluation_report").load())
    tables.print_evaluation(found, folder)


def inference(configuration: Configuration, given: argparse.Namespace) -> None:
    """Score the accidents of `--input` into `--output`."""
    from pipelines.inference import inference as pipeline

    target = str(Path(given.output).resolve())
    run = _run(pipeline, configuration, given, bundle=_chosen_model(given), source=given.input, target=target)
    tables.print_scoring(outputs.output(run, "score_accidents", "scoring").load(), given.output)


def _chosen_model(given: argparse.Namespace) -> str:
    """The path that was given, else the model of best validation F1 of the latest training."""
    if given.model_path:
        return str(Path(given.model_path))
    run = latest_run("training")
    best = outputs.output(run, "compare_models", "best_model_type").load()
    return str(outputs.output(run, f"train_{best}", f"{best}_model").id)


def _run(pipeline: Any, configuration: Configuration, given: argparse.Namespace, **arguments: Any) -> Any:
    with phase("pipeline"):
        run = run_pipeline(
            pipeline, cache=not given.no_cache, debug=given.debug, configuration=configuration, **arguments
        )
    for name, step in run.steps.items():
        if str(step.status) == "completed":
            seconds = (step.end_time - step.start_time).total_seconds()
            add(name, seconds)
            add("pipeline", -seconds)
    return run


def _fingerprint(configuration: Configuration) -> str:
    """Checksum of the files of the source, which are generated or downloaded now where they are not there yet."""
    from accidents.sources.fingerprint import fingerprint
    from accidents.sources.resolution import resolve

    source = configuration.ingestion.source
    with phase("files of the source"):
        editions = resolve(source, progress=True)
        found = fingerprint(editions)
        outputs.write_manifest(source.data_folder / "manifest.json", source.location, found, editions)
    return found


def _version(configuration: Configuration, fingerprint: str) -> str:
    """Name of the model version: source, level, and a digest of data, configuration and code."""
    from steps.caching import code_digest

    code = code_digest("steps.ingestion.ingest", "steps.training.train_model", "steps.training.compare_models")
    identity = f"{fingerprint}{configuration.model_dump_json()}{code}"
    source = Path(configuration.ingestion.source.location).name
    return f"{source}-{configuration.features.level}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _leave_tables(run: Any, configuration: Configuration, given: argparse.Namespace) -> None:
    with phase("files"):
        outputs.write_tables(run, configuration.ingestion.source.data_folder.parent, csv=given.csv)
