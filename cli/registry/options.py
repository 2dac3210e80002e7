"""Options of the commands of the registry."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from accidents.configuration.stages import EXCLUSIVE_STAGES, PRODUCTION, STAGES
from cli.options import ListOption, join_values, json_option

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def _model_option(default: str = "") -> Option:
    text = f"registered name or model type, in any letter case{default}"
    return click.option("--model-name", required=not default, metavar="NAME", help=text)


def _version_option(default: str = "") -> Option:
    return click.option("--version", required=not default, metavar="N", help=f"number of the version{default}")


def _stage_option(stages: Sequence[str], default: str | None, *aliases: str) -> Option:
    text = f"{', '.join(stages)}, in any letter case{f'; by default {default}' if default else ''}"
    kind = click.Choice(stages, case_sensitive=False)
    names = ("--stage", *aliases, "stage")
    return click.option(*names, type=kind, required=not default, default=default, metavar="STAGE", help=text)


MODEL, MODEL_OR_ALL = _model_option(), _model_option("; by default all")
VERSION, VERSION_OR_LATEST = _version_option(), _version_option("; by default the latest")
STAGE, PROMOTION_STAGE = _stage_option(STAGES, None), _stage_option(EXCLUSIVE_STAGES, PRODUCTION, "--target-stage")
STAGE_OR_CONFIGURED = click.option(
    "--stage",
    type=click.Choice(STAGES, case_sensitive=False),
    metavar="STAGE",
    help=f"{', '.join(STAGES)}, in any letter case; by default production_stage of configs/tracking.yaml",
)
SOURCE = click.option("--source", metavar="SOURCE", help="labelled accidents to measure on")
YEARS = click.option(
    "--years", cls=ListOption, callback=join_values, metavar="YEARS", help="2021, 2019-2024 or 2019,2021"
)
PUBLISH_TO = click.option("--to", metavar="LOCATION", help="folder or URL such as s3://bucket/folder")
DRY_RUN = click.option("--dry-run", is_flag=True, help="only print what would be done")
REPAIR = click.option("--repair/--dry-run", default=True, help="repair what is found (default), or only print it")
JSON = json_option
YES = click.option("--yes", "--confirm", "yes", is_flag=True, help="do not ask for confirmation")
