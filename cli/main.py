"""The command line `python run.py`: its flags run pipelines, predict or serve; its commands do the rest."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module
from io import TextIOWrapper
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from accidents.errors import AccidentsError, ConfigurationError, storage_fault
from cli.error_place import error_place
from cli.exit_codes import DONE, FAILED, INTERRUPTED, USAGE_ERROR
from cli.options import Group, debug_enabled
from cli.run_options import OPTIONS, SOURCE_PIPELINES, RunOptions
from cli.timing import phase

COMMANDS = {
    "fetch": "cli.fetch",
    "editions": "cli.editions",
    "registry": "cli.registry",
    "stack": "cli.stack",
    "schedule": "cli.schedule",
    "keys": "cli.keys",
    "predictions": "cli.predictions",
    "audit": "cli.audit",
    "simulate": "cli.simulate",
    "retrain": "cli.retrain",
    "prune": "cli.prune",
    "dashboard": "cli.dashboard",
    "mlflow": "cli.mlflow_page",
    "convert": "cli.model_files",
    "export": "cli.model_files",
}
"""Modules of the commands; each defines a click command under the name of the command."""

_EPILOG = """\b
Examples:
  python run.py --training                                    train on the embedded synthetic sample
  python run.py --training --source FOLDER                    train on real files
  python run.py --training --source datagouv --years 2021-2023
  python run.py --training --models xgboost lightgbm          train two types of model
  python run.py --evaluation --source FOLDER                  measure the latest model on other data
  python run.py --predict examples/low_risk.json              one accident
  python run.py --inference --input FOLDER --output scores.parquet
  python run.py --serve                                       answer over HTTP with the Production model

Paths on the command line are relative to the current folder; those in configuration files, and
models/, reports/, data/, mlruns/ and records/, to the project.

Exit codes: 0 done, 1 failed, 2 the command line or the configuration is wrong."""


class RootGroup(Group):
    """The root of all commands: imports them when they are needed, and turns errors into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the signature is click's
        """Names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command."""
        return getattr(import_module(COMMANDS[cmd_name]), cmd_name) if cmd_name in COMMANDS else None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options under the headings of their sections, and the commands."""
        for section, options in groupby(OPTIONS, lambda option: option.section):
            with formatter.section(section):
                formatter.write_dl([record for option in options if (record := option.get_help_record(ctx))])
        with formatter.section("Help"):
            formatter.write_dl([("--help", "show this message; each command has its own, too")])
        self.format_commands(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that a user can mend is printed in place of a traceback, unless `--debug` is given.

        Returns:
            The exit code.
        """
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except AccidentsError as error:
            if debug_enabled():
                raise
            print(f"error: {error}", file=sys.stderr)
            return USAGE_ERROR if isinstance(error, ConfigurationError) else FAILED
        except Exception as error:
            message = None if debug_enabled() else _describe_fault(error)
            if message is None:
                raise
            print(f"error: {message}", file=sys.stderr)
            return FAILED
        return code


@click.group(
    cls=RootGroup,
    params=list[click.Parameter](OPTIONS),
    invoke_without_command=True,
    subcommand_metavar="[COMMAND ...]",
    epilog=_EPILOG,
    context_settings={"max_content_width": 110},
)
@click.pass_context
def run(context: click.Context, **values: Any) -> int:
    """Predict which French road accidents are priority: somebody killed or hospitalised."""
    options = RunOptions(**values)
    if context.invoked_subcommand:
        for option in OPTIONS:
            if option.is_given(options):
                raise click.UsageError(f"{option.flag} does not go with the command {context.invoked_subcommand}")
        return DONE
    options.validate()
    if options.predict is not None:
        from cli.predict import predict

        return predict(options, options.load_configuration())
    if options.serve:
        from cli.serving import serve

        return serve(options, options.load_configuration())
    if options.pipelines:
        return _run_pipelines(options)
    click.echo(context.get_help())
    return USAGE_ERROR


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        arguments: the words after `python run.py`; those of this process where None.

    Returns:
        The exit code: 0 done, 1 failed or refused by a rule, 2 wrong command line or configuration, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a locale without accents is no reason to fail
            stream.reconfigure(errors="replace")
    try:
        return run.main(arguments if arguments is None else list(arguments), "run.py", standalone_mode=False) or DONE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # Ctrl-C, or the end of the input where a question waits for an answer
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _describe_fault(error: Exception) -> str | None:
    """Place, fault and remedy where the disk, or the store of ZenML, is the reason of an error."""
    if fault := storage_fault(str(error)):
        return f"{error_place(error)}: {fault}, and run it again"
    if "zenml" not in sys.modules:
        return None
    from pipelines.store_check import StoreError, check_store

    try:
        check_store()
    except StoreError as away:
        return str(away)
    return None


def _run_pipelines(options: RunOptions) -> int:
    from accidents.configuration.environment import load_environment
    from accidents.early_ingestion import begin_ingestion
    from accidents.engine import check_engine
    from accidents.worker_process import PRELOADED_MODULES, TRAINING_MODULES, worker_process
    from cli.zenml_session import prepare_zenml

    with phase("configuration"):
        configuration = options.load_configuration()
        load_environment()
        check_engine(configuration.engine)
        if options.output:
            from accidents.inference.output import check_output

            check_output(Path(options.output))
    reads_source = not {*options.pipelines}.isdisjoint(SOURCE_PIPELINES) or bool(options.monitoring and options.source)
    if reads_source:
        print(f"source {configuration.ingestion.source.location}, level {configuration.features.level}", flush=True)
    with worker_process(*PRELOADED_MODULES) if reads_source else nullcontext():
        if reads_source and options.no_cache and configuration.engine.kind == "local":
            begin_ingestion(configuration.ingestion, TRAINING_MODULES if "training" in options.pipelines else ())
        with phase("start of ZenML"):
            stack = prepare_zenml(options.stack, debug=options.debug)
        print(f"stack {stack}", flush=True)
        with phase("imports"):
            from cli import pipeline_commands
        for pipeline in options.pipelines:
            getattr(pipeline_commands, pipeline)(configuration, options)
    return DONE
