"""One function a pipeline: run it, write its files, and print its results and where to look next."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accidents.configuration.loading import Configuration
from cli import output_files, run_summaries
from cli.dashboard import run_url
from cli.fetch import fetch_editions
from cli.model_lookup import find_registered_version
from cli.output_files import load_output, model_artifact, step_output
from cli.run_options import RunOptions
from cli.runs import run_pipeline
from cli.stack import register_local_stacks
from cli.timing import add_seconds, phase, phase_summary
from cli.tracking import check_tracking_server, print_registered_versions

if TYPE_CHECKING:
    import pandas as pd

    from tracking.deployed_services import DeployedService

WITHOUT_PLACE = "without_place"


def ingestion(configuration: Configuration, options: RunOptions) -> None:
    """Read, validate and clean the data; print the findings and the number of rows."""
    from pipelines.ingestion import ingestion as pipeline

    run = _run(pipeline, configuration, options, fingerprint=_fingerprint(configuration))
    _write_tables(run, configuration, options)
    report, folder = load_output(run, "ingest", "validation_report"), _data_reports_folder(configuration, "ingestion")
    run_summaries.print_ingestion(report, run.steps["ingest"].run_metadata, folder)


def features(configuration: Configuration, options: RunOptions) -> None:
    """Compute the features of the accidents."""
    from pipelines.features import features as pipeline

    run = _run(pipeline, configuration, options, fingerprint=_fingerprint(configuration))
    _write_tables(run, configuration, options)


def training(configuration: Configuration, options: RunOptions) -> None:
    """Train, evaluate and compare the models; write them with metrics and reports; print the comparison."""
    without_place = None
    if configuration.training.compare_without_geography:
        features = configuration.features.model_copy(update={"geography": False})
        settings = configuration.training.model_copy(update={"final": False})
        reduced = configuration.model_copy(update={"features": features, "training": settings})
        print("first without the place", flush=True)
        without_place = str(step_output(_train(reduced, options, track=False), "compare_models", "evaluations").id)
        print("now with the place", flush=True)
    store = check_tracking_server(configuration.tracking)
    run = _train(configuration, options, without_place=without_place, store=store, track=store is not None)
    settings = configuration.training
    comparison = load_output(run, "compare_models", "model_comparison")
    best = load_output(run, "compare_models", "best_model_type")
    run_summaries.print_comparison(comparison, best, settings.models_folder, settings.reports_folder)
    if settings.final:
        run_summaries.print_final(
            model_artifact(run, best).run_metadata["rows"]["training"],
            settings.models_folder / output_files.EVALUATED_TWIN,
        )
    if store:
        print_registered_versions(load_output(run, "track_training", "registered_models"))
    register_local_stacks()
    print(phase_summary())


def _train(configuration: Configuration, options: RunOptions, **arguments: Any) -> Any:
    from pipelines.training import training as pipeline

    fingerprint = _fingerprint(configuration)
    run = _run(pipeline, configuration, options, fingerprint=fingerprint, **arguments)
    _write_tables(run, configuration, options)
    settings = configuration.training
    folders = [settings.models_folder, settings.reports_folder]
    if not configuration.features.geography:
        folders = [folder / WITHOUT_PLACE for folder in folders]
    with phase("files"):
        output_files.write_models(run, settings.models, *folders)
    return run


def evaluation(configuration: Configuration, options: RunOptions) -> None:
    """Measure a model on the accidents of the source; write metrics and a report."""
    from pipelines.evaluation import evaluation as pipeline

    fingerprint, model = _fingerprint(configuration), _model_parameters(configuration, options)
    run = _run(pipeline, configuration, options, fingerprint=fingerprint, **model)
    metrics = load_output(run, "evaluate_model", "evaluation")
    folder = configuration.training.reports_folder / "evaluation"
    output_files.write_json(folder / "metrics.json", metrics)
    output_files.write_text(folder / "report.html", load_output(run, "evaluate_model", "evaluation_report"))
    run_summaries.print_evaluation(metrics, folder)


def inference(configuration: Configuration, options: RunOptions) -> None:
    """Score the accidents of `--input` into `--output`."""
    from pipelines.inference import inference as pipeline

    target, model = options.output or "", _model_parameters(configuration, options)
    paths = {"source": options.input, "target": str(Path(target).resolve())}
    run = _run(pipeline, configuration, options, **model, **paths)
    run_summaries.print_scoring(load_output(run, "score_accidents", "scoring"), target)


def load_features(configuration: Configuration, *, debug: bool) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Run the features pipeline, mostly from the cache.

    Returns:
        Features and accidents of the source, in the same order.
    """
    from pipelines.features import features as pipeline

    run = _run(pipeline, configuration, RunOptions(debug=debug), fingerprint=_fingerprint(configuration))
    return load_output(run, "build_features", "features"), load_output(run, "ingest", "accidents")


def deployment(configuration: Configuration, options: RunOptions) -> None:
    """Serve a registered model; with `--status` and `--stop` list or stop what is served.

    Raises:
        ConfigurationError: the stack has no model deployer.
        PipelineError: no version is in the stage, the model fails its smoke test, or the service does not start.
    """
    from tracking.deployed_services import active_model_deployer, list_services
    from tracking.deployment import stop_services
    from tracking.names import resolve_model_name

    active_model_deployer()
    prefix = configuration.tracking.mlflow.model_registry.registered_model_name
    name = resolve_model_name(options.model_name, prefix) if options.model_name else None
    if options.status:
        _print_services(list_services(name), "", "nothing is deployed")
    elif options.stop:
        _print_services(stop_services(name), "stopped", "nothing was deployed")
    else:
        _deploy(configuration, options, name)


def _deploy(configuration: Configuration, options: RunOptions, name: str | None) -> None:
    from pipelines.deployment import deployment as pipeline

    run = run_pipeline(
        pipeline,
        cache=False,
        debug=options.debug,
        configuration=configuration,
        model_name=name,
        version=options.version,
    )
    _print_address(run)
    service = load_output(run, "deploy_model", "deployment")
    print(f"{service['name']} {service['version']} answers at {service['url']}")
    if service["downtime_seconds"]:
        print(f"for {service['downtime_seconds']:.0f} s no service answered, while it replaced the one before")
    records = json.dumps({"dataframe_records": [{"accident": "{…}"}]}, ensure_ascii=False)
    print(f"try it    curl {service['url']} -H 'Content-Type: application/json' -d '{records}'")
    stack = f" --stack {options.stack}" if options.stack else ""
    print(f"stop it   python run.py --deployment --stop{stack}")


def _print_services(services: "list[DeployedService]", state: str, if_none: str) -> None:
    for service in services:
        shown = state or ("answers" if service.running else "does not answer")
        process = f" (process {service.pid})" if service.pid else ""
        print(f"{service.name} {service.version} {shown} {service.url}{process}")
    if not services:
        print(if_none)


def _model_parameters(configuration: Configuration, options: RunOptions) -> dict[str, str | None]:
    """The model that was named, as parameters of a pipeline; the best one of the latest training where none was."""
    if options.model_path or not (options.model_name or options.best):
        return {"bundle": options.model_path}
    from tracking.connection import connect
    from tracking.registry import Registry

    with connect(configuration.tracking) as connection:
        stage = configuration.tracking.mlflow.model_registry.production_stage
        version = find_registered_version(Registry(connection), options, stage)
    return {"model_name": version.name, "version": version.version}


def pipeline_parameters(name: str, configuration: Configuration, options: RunOptions) -> dict[str, Any]:
    """The parameters with which a pipeline runs for these options, but for the fingerprint of its source."""
    parameters: dict[str, Any] = {"configuration": configuration}
    if name in {"evaluation", "inference", "deployment"}:
        parameters |= _model_parameters(configuration, options)
    if name == "deployment":
        parameters.pop("bundle", None)
    if name == "inference":
        parameters |= {"source": options.input, "target": options.output}
    return parameters


def _run(pipeline: Any, configuration: Configuration, options: RunOptions, **arguments: Any) -> Any:
    folder = _data_reports_folder(configuration, pipeline.name)
    with phase("pipeline"):
        run = run_pipeline(
            pipeline,
            cache=not options.no_cache,
            debug=options.debug,
            on_failure=partial(_describe_failure, folder=folder),
            configuration=configuration,
            **arguments,
        )
    _print_address(run)
    with phase("files"):
        output_files.write_data_reports(run, folder)
    for name, step in run.steps.items():
        if str(step.status) == "completed":
            seconds = (step.end_time - step.start_time).total_seconds()
            add_seconds(name, seconds)
            add_seconds("pipeline", -seconds)
    return run


def _print_address(run: Any) -> None:
    """Print where the dashboard shows a run, where there is a dashboard."""
    if address := run_url(run):
        print(f"dashboard {address}", flush=True)


def _data_reports_folder(configuration: Configuration, pipeline: str) -> Path:
    """Folder for reports on the raw data; evaluation and inference read other data than the models."""
    folder = configuration.training.reports_folder
    return (folder / pipeline if pipeline in {"evaluation", "inference"} else folder) / "ingestion"


def _describe_failure(run: Any, folder: Path) -> str:
    """Write the data reports of a failed run; names them if the data were refused, and the address of the run."""
    written = output_files.write_data_reports(run, folder)
    step = output_files.data_step(run)
    refused = written and str(step.status) == "failed"
    reports = f"Reports on the data: {', '.join(map(str, written))}" if refused else ""
    address = run_url(run)
    return "\n".join(line for line in (reports, f"dashboard {address}" if address else "") if line)


def _fingerprint(configuration: Configuration) -> str:
    """SHA-256 of the files of the source, which are generated or downloaded first if necessary."""
    return fetch_editions(configuration)[1]


def _write_tables(run: Any, configuration: Configuration, options: RunOptions) -> None:
    with phase("files"):
        output_files.write_tables(run, configuration.ingestion.source.data_folder.parent, csv=options.csv)
