"""`python run.py prune`: delete what grows and is no longer needed, by the rules of the configuration.

Imports nothing heavy: `--help` must answer at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.exit_codes import DONE
from cli.options import Command, config_option, debug_option
from cli.registry.context import confirm
from cli.registry.options import DRY_RUN, YES

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration
    from tracking.registry import Registry


@dataclass(frozen=True)
class _Part:
    """A kind of things to delete: what they are, how many, and the function that deletes them."""

    name: str
    count: int
    delete: Callable[[], object]


@click.command(cls=Command, short_help="delete old versions, runs, artifacts, predictions and files")
@DRY_RUN
@YES
@click.option("--stack", metavar="NAME", help="ZenML stack for this command alone")
@config_option
@debug_option
def prune(dry_run: bool, yes: bool, stack: str | None, config: tuple[str, ...]) -> int:
    """Delete what is old and not needed by any version that stays; look at it with --dry-run first.

    Registered versions without a stage, runs of MLflow and ZenML with their files, by `pruning` in
    configs/tracking.yaml; logged predictions, by `keep_days` in configs/serving.yaml; local copies of registered
    models and of their code that are as old. Copies come back when they are needed.
    """
    from accidents.configuration.environment import load_environment
    from cli.zenml_session import prepare_zenml

    load_environment()
    from accidents.configuration.loading import load_configuration
    from tracking.connection import connect
    from tracking.pruning import collect_garbage
    from tracking.registry import Registry

    configuration = load_configuration(map(Path, config))
    prepare_zenml(stack, debug=False)
    now = datetime.now(UTC)
    with connect(configuration.tracking) as connection:
        parts = [
            *_tracked(Registry(connection), configuration, now),
            _predictions(configuration, now),
            _files(configuration, now),
        ]
        for part in parts:
            click.echo(f"{part.count:>7,} {part.name}")
        total = sum(part.count for part in parts)
        if not total or dry_run:
            click.echo("nothing was deleted" if total else "nothing to delete")
        elif confirm("Delete them?", yes=yes):
            for part in parts:
                part.delete()
            where = "" if collect_garbage(connection) else "; their files go with 'mlflow gc' on the tracking server"
            click.echo(f"deleted{where}")
    return DONE


def _tracked(registry: "Registry", configuration: "Configuration", now: datetime) -> list[_Part]:
    from tracking.pruning import delete_runs, delete_zenml_runs, find_expired
    from tracking.stages import delete_version

    expired = find_expired(registry, configuration.tracking.pruning, now)

    def delete_versions() -> None:
        for version in expired.versions:
            delete_version(registry, version, "prune")

    return [
        _Part("registered versions", len(expired.versions), delete_versions),
        _Part("MLflow runs", len(expired.runs), lambda: delete_runs(registry.connection, expired.runs)),
        _Part(
            "ZenML runs, with their artifacts", len(expired.zenml_runs), lambda: delete_zenml_runs(expired.zenml_runs)
        ),
    ]


def _predictions(configuration: "Configuration", now: datetime) -> _Part:
    from serving.records import retention
    from serving.records.database import migrate, open_database

    engine = open_database(configuration.serving.records)
    migrate(engine)
    before = now - timedelta(days=configuration.serving.records.keep_days)
    count = retention.count_before(engine, before)
    return _Part("logged predictions", count, lambda: retention.prune(engine, before))


def _files(configuration: "Configuration", now: datetime) -> _Part:
    """Copies of registered models and unpacked code of models; both come back when they are needed."""
    import shutil

    from tracking.pyfunc_model import code_cache

    before = now.timestamp() - 86_400 * configuration.tracking.pruning.older_than_days
    folders = (configuration.training.models_folder / "registry", code_cache())
    found = [path for folder in folders for path in folder.glob("*") if path.lstat().st_mtime < before]

    def delete() -> None:
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    return _Part("local copies of models and of their code", len(found), delete)
