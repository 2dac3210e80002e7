"""Decorators of click commands. Imports nothing heavy: `--help` must answer at once."""

from collections.abc import Callable
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
        from serving.records.database import migrate, open_database

        settings = load_configuration(map(Path, config)).serving.records
        engine = open_database(settings)
        try:
            migrate(engine)
            function(RecordDatabase(engine, settings), **options)
        finally:
            engine.dispose()

    return call
