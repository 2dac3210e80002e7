"""`--deployment`: serve a registered model, say what is served, or stop it."""

import argparse
import json
from typing import TYPE_CHECKING

from accidents.configuration.loading import Configuration
from cli import output_files
from cli.runs import run_pipeline

if TYPE_CHECKING:
    from tracking.deployment import DeployedService


def deployment(configuration: Configuration, given: argparse.Namespace) -> None:
    """Deploy, or with `--status` and `--stop` look and stop.

    Raises:
        ConfigurationError: the stack has no model deployer.
        PipelineError: no model holds the stage, the model fails its check, or the service does not start.
    """
    from tracking.deployment import active_model_deployer, list_services, stop_services
    from tracking.names import resolve_model_name

    active_model_deployer()
    name = resolve_model_name(given.model_name) if given.model_name else None
    if given.status:
        _print(list_services(name), "nothing is deployed")
    elif given.stop:
        _print(stop_services(name), "nothing was deployed", "stopped")
    else:
        _deploy(configuration, given, name)


def _deploy(configuration: Configuration, given: argparse.Namespace, name: str | None) -> None:
    from pipelines.deployment import deployment as pipeline

    run = run_pipeline(
        pipeline, cache=False, debug=given.debug, configuration=configuration, name=name, number=given.version
    )
    found = output_files.output(run, "deploy_model", "deployment").load()
    print(f"{found['name']} {found['version']} answers at {found['url']}")
    if found["downtime_seconds"]:
        print(f"for {found['downtime_seconds']:.0f} s nobody answered, while it took the place of the one before")
    records = json.dumps({"dataframe_records": [{"accident": "{…}"}]}, ensure_ascii=False)
    print(f"ask it    curl {found['url']} -H 'Content-Type: application/json' -d '{records}'")
    stack = f" --stack {given.stack}" if given.stack else ""
    print(f"stop it   python run.py --deployment --stop{stack}")


def _print(found: "list[DeployedService]", nothing: str, word: str = "") -> None:
    for service in found:
        state = word or ("answers" if service.running else "does not answer")
        process = f" (process {service.pid})" if service.pid else ""
        print(f"{service.name} {service.version} {state} {service.url}{process}")
    if not found:
        print(nothing)
