"""`python run.py schedule`: run a pipeline or `retrain` again and again, by an orchestrator or by another scheduler.

Imports nothing heavy: `--help` must answer at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from accidents.errors import ConfigurationError
from cli.options import Command, debug_enabled, debug_option
from cli.run_options import OPTIONS, PIPELINES, SOURCE_PIPELINES, RunOptions
from cli.zenml_session import prepare_zenml

if TYPE_CHECKING:
    from cli.schedule_files import Schedule

_RETRAIN = "retrain"
"""A command that decides first: no orchestrator starts it."""

_ENABLE = {
    "systemd": "systemctl --user daemon-reload && systemctl --user enable --now {name}.timer; loginctl enable-linger",
    "crontab": "(crontab -l; cat {name}.crontab) | crontab -",
    "github": "git add .github/workflows, commit and push; secrets: docs/github-actions.md",
}


@click.command(cls=Command, short_help="run a pipeline, or retrain, again and again")
@click.argument("pipeline", type=click.Choice([*PIPELINES, _RETRAIN]))
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTION...]")
@click.option("--cron", required=True, metavar="EXPRESSION", help='when, such as "0 3 * * 1": Mondays at three')
@click.option("--timezone", default="UTC", metavar="NAME", help="in which time zone, such as Europe/Paris (UTC)")
@click.option("--as", "kind", type=click.Choice([*_ENABLE]), help="what to write (systemd)")
@click.option("--stack", metavar="NAME", help="ZenML stack of the runs (the active one)")
@click.option("--dry-run", is_flag=True, help="show it, and change nothing")
@debug_option
def schedule(
    *,
    pipeline: str,
    options: tuple[str, ...],
    cron: str,
    timezone: str,
    kind: str | None,
    stack: str | None,
    dry_run: bool,
) -> None:
    """Run PIPELINE or retrain again and again; its options follow --, such as -- --source datagouv --years 2021-2023.

    Without --as the orchestrator of the stack does it if it has schedules (Kubernetes, SageMaker, Vertex AI, Azure
    Machine Learning); otherwise a systemd timer of this machine.
    """
    from cli.schedule_files import Schedule

    own = [*options, *(["--stack", stack] if stack else [])]
    if pipeline == _RETRAIN:
        _check_retrain(own)
        planned = Schedule(pipeline, cron, timezone, [pipeline, *own])
    else:
        planned = Schedule(pipeline, cron, timezone, [f"--{pipeline}", *own])
        parsed = _parse(planned.arguments)
    if kind is None and pipeline != _RETRAIN:
        name = prepare_zenml(stack, debug=debug_enabled())
        if _orchestrator().config.is_schedulable:
            _schedule_in_zenml(planned, parsed, name, dry_run=dry_run)
            _print_next(planned)
            return
        print(f"the orchestrator of the stack {name} has no schedules: a systemd timer", flush=True)
    _write_files(planned, kind or "systemd", dry_run=dry_run)
    _print_next(planned)


def _check_retrain(arguments: list[str]) -> None:
    """Check the options of the scheduled command.

    Raises:
        click.UsageError: there is no such option, or the model is missing.
        ConfigurationError: the configuration is invalid.
    """
    from accidents.configuration.loading import load_configuration
    from cli.retrain import retrain

    load_configuration(map(Path, retrain.make_context(f"run.py {_RETRAIN}", [*arguments]).params["config"]))


def _parse(arguments: Sequence[str]) -> RunOptions:
    """The options of the scheduled command.

    Raises:
        click.UsageError: there is no such option, or it does not go with the pipeline.
    """
    command = click.Command("run.py", params=list[click.Parameter](OPTIONS))
    options = RunOptions(**command.make_context("run.py", list(arguments), resilient_parsing=False).params)
    options.validate()
    options.load_configuration()
    return options


def _write_files(planned: "Schedule", kind: str, *, dry_run: bool) -> None:
    from accidents.atomic_write import write_text
    from cli import schedule_files

    files: dict[Path, str] = getattr(schedule_files, f"{kind}_files")(planned)
    for path, content in files.items():
        if dry_run:
            print(f"# {path}\n{content}")
        else:
            write_text(path, content)
            print(f"written   {path}")
    print(f"then      {_ENABLE[kind].format(name=planned.name)}")


def _orchestrator() -> Any:
    from zenml.client import Client

    return Client().active_stack.orchestrator


def orchestrator_expression(planned: "Schedule", flavor: str) -> str:
    """The cron expression in the form that an orchestrator takes.

    Raises:
        ConfigurationError: the orchestrator counts in UTC, and the time zone is another one, or it has no such form.
    """
    from cli.schedule_files import aws_expression

    if flavor == "vertex":
        return f"TZ={planned.timezone} {planned.cron}"
    if planned.timezone != "UTC":
        raise ConfigurationError(
            f"the orchestrator {flavor} of the stack counts in UTC: give the hours in UTC, with --timezone UTC, or let "
            "another scheduler start the runs: --as systemd, crontab or github"
        )
    return aws_expression(planned) if flavor == "sagemaker" else planned.cron


def _schedule_in_zenml(planned: "Schedule", options: RunOptions, stack: str, *, dry_run: bool) -> None:
    """Schedule the pipeline in the orchestrator of the active stack."""
    flavor = _orchestrator().flavor
    cron = orchestrator_expression(planned, flavor)
    print(f"schedule  {planned.name}: {cron}, orchestrator {flavor} of the stack {stack}", flush=True)
    if dry_run:
        return
    from importlib import import_module

    from zenml.config.schedule import Schedule as ZenmlSchedule

    from cli.pipeline_commands import pipeline_parameters

    pipeline = getattr(import_module(f"pipelines.{planned.pipeline}"), planned.pipeline)
    parameters = pipeline_parameters(planned.pipeline, options.load_configuration(), options)
    if planned.pipeline in SOURCE_PIPELINES:
        parameters["fingerprint"] = ""  # of the files that each run finds
    pipeline.with_options(schedule=ZenmlSchedule(name=planned.name, cron_expression=cron))(**parameters)
    print("look      zenml pipeline schedule list")


def _print_next(planned: "Schedule") -> None:
    print(f"next runs {', '.join(f'{time:%a %d %B %Y %H:%M %Z}' for time in planned.next_runs(3))}")
