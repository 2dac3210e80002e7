"""Decorators of click commands. Imports nothing heavy: `--help` must answer at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.options import config_option, debug_option, json_option

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from accidents.configuration.serving import RecordSettings


@dataclass(frozen=True)
class RecordDatabase:
    """The database of the service, with API keys and the prediction log."""

    engine: "Engine"
    settings: "RecordSettings"


def with_record_database(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--config`, `--json` and `--debug`, and call the function with the migrated database of the service first."""

    @json_option
    @config_option
    @debug_option
    @wraps(function)
    def call(*, config: tuple[str, ...], **options: Any) -> None:
        from accidents.configuration.environment import load_environment

        load_environment()
        from accidents.configuration.loading import load_configuration

        with record_database(load_configuration(map(Path, config)).serving.records) as database:
            function(database, **options)

    return call


@contextmanager
def record_database(settings: "RecordSettings", *, create: bool = True) -> Iterator[RecordDatabase]:
    """The migrated database of the service; without `create` it has to exist.

    Raises:
        RecordsError: it cannot be opened.
    """
    from serving.records.database import migrate, open_database

    engine = open_database(settings, create=create)
    try:
        migrate(engine)
        yield RecordDatabase(engine, settings)
    finally:
        engine.dispose()
