"""What is done with what was typed: configuration, pipelines in their order, files for people, words at the end."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.arguments import ON_REQUEST, PIPELINES, SUBCOMMANDS, parser
from cli.exit_codes import DONE, REFUSED, ended
from cli.timing import phase

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration

_READING = ("ingestion", "features", "training", "evaluation")
"""Pipelines that read the source."""

_GOES_WITH = (
    (("models", "resampling", "tune", "no_geography", "allow_untracked"), ("training",)),
    (("level",), ("features", "training")),
    (("source", "years"), _READING),
    (("model_path", "model_name", "best"), ("evaluation", "inference", "deployment", "predict", "serve")),
    (("host", "port", "workers", "anonymous"), ("serve",)),
    (("input", "output"), ("inference",)),
)
"""Options, and the pipelines that heed at least one of them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code: 0 done, 1 failed, 2 refused."""
    typed = list(sys.argv[1:] if arguments is None else arguments)
    if typed and typed[0] in SUBCOMMANDS:
        return import_module(SUBCOMMANDS[typed[0]]).main(typed[1:])
    commands = parser()
    given = commands.parse_args(typed)
    return ended(lambda: _dispatch(commands, given), debug=given.debug)


def _dispatch(commands: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    chosen = [name for name in PIPELINES if getattr(given, name)]
    if given.all:
        chosen = [name for name in PIPELINES if name not in ON_REQUEST or getattr(given, name)]
    _refuse(commands, given, chosen)
    if given.predict is not None:
        from cli.predict import predict

        return predict(given, _configuration(given))
    if given.serve:
        from cli.serving import serve

        return serve(given, _configuration(given))
    if not chosen:
        commands.print_help()
        return REFUSED
    return _run(chosen, given)


def _refuse(commands: argparse.ArgumentParser, given: argparse.Namespace, chosen: Sequence[str]) -> None:
    """Refuse what does not go together, instead of leaving a part of it undone."""
    if given.predict is not None and (chosen or given.serve):
        commands.error("--predict answers for one accident and goes with no pipeline and not with --serve")
    if given.serve and chosen:
        commands.error("--serve answers until it is stopped and goes with no pipeline")
    asked = {*chosen, *(("predict",) if given.predict is not None else ()), *(("serve",) if given.serve else ())}
    for options, places in _GOES_WITH:
        typed = [f"--{name.replace('_', '-')}" for name in options if getattr(given, name) not in (None, False)]
        if typed and not asked & {*places}:
            commands.error(f"{' and '.join(typed)} goes with {' or '.join(f'--{place}' for place in places)}")
    if (given.stage or given.alias or given.version) and not given.model_name:
        commands.error("--stage, --alias and --version go with --model-name")
    if (given.status or given.stop) and chosen != ["deployment"]:
        commands.error("--status and --stop go with --deployment alone")
    if "deployment" in chosen and (given.model_path or given.alias):
        commands.error("--deployment takes a registered model: --model-name with --stage or --version")
    if "inference" in chosen and not (given.input and given.output):
        commands.error("--inference needs --input PATH and --output PATH")


def _configuration(given: argparse.Namespace) -> "Configuration":
    from accidents.configuration.loading import load_configuration

    typed: dict[str, tuple[str, Any]] = {
        "ingestion.source.location": ("--source", given.source),
        "ingestion.source.years": ("--years", given.years),
        "training.models": ("--models", given.models),
        "training.resampling": ("--resampling", given.resampling),
        "training.tuning.method": ("--tune", given.tune),
        "training.compare_without_geography": ("--no-geography", given.no_geography or None),
        "features.level": ("--level", given.level),
        "deployment.stage": ("--stage", given.stage if given.deployment else None),
        "tracking.allow_untracked": ("--allow-untracked", given.allow_untracked or None),
        "serving.host": ("--host", given.host),
        "serving.port": ("--port", given.port),
        "serving.workers": ("--workers", given.workers),
        "serving.anonymous": ("--anonymous", given.anonymous or None),
    }
    overrides = {path: value for path, (_, value) in typed.items()}
    return load_configuration(
        [Path(file) for file in given.config], overrides, {path: flag for path, (flag, _) in typed.items()}
    )


def _run(chosen: Sequence[str], given: argparse.Namespace) -> int:
    from accidents.worker_process import worker_process
    from cli.zenml_session import AHEAD, read_environment

    with phase("configuration"):
        configuration = _configuration(given)
        read_environment()
        if "inference" in chosen:
            from accidents.inference.output import check_output

            check_output(Path(given.output))
    if {*chosen} & {*_READING}:
        print(f"source {configuration.ingestion.source.location}, level {configuration.features.level}", flush=True)
        with worker_process(*AHEAD):
            return _run_stages(chosen, configuration, given)
    return _run_stages(chosen, configuration, given)


def _run_stages(chosen: Sequence[str], configuration: "Configuration", given: argparse.Namespace) -> int:
    from cli.zenml_session import prepare

    with phase("start of ZenML"):
        stack = prepare(given.stack, debug=given.debug)
    print(f"stack {stack}", flush=True)
    with phase("imports"):
        from cli import pipeline_commands
        from cli.deployment import deployment

    stage_of: dict[str, Callable[[Any, argparse.Namespace], None]] = {
        "ingestion": pipeline_commands.ingestion,
        "features": pipeline_commands.features,
        "training": pipeline_commands.training,
        "evaluation": pipeline_commands.evaluation,
        "inference": pipeline_commands.inference,
        "deployment": deployment,
    }
    for name in chosen:
        stage_of[name](configuration, given)
    return DONE
