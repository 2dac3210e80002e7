"""The database of the service: opened, and brought up to date."""

from collections.abc import Mapping

from sqlalchemy import Engine

from accidents.configuration.records import RecordSettings


def opened(settings: RecordSettings, environment: Mapping[str, str] | None = None) -> Engine:
    """The database that `SERVING_DATABASE_URL` names, else the settings, else the SQLite file of the project.

    Raises:
        ConfigurationError: the address is none, or of a kind of database that is not supported.
        RecordsError: the database cannot be opened.
    """
    raise NotImplementedError


def migrate(engine: Engine) -> None:
    """Bring the database to the present form, and keep what is in it; safe while other processes do the same.

    Raises:
        RecordsError: the database cannot be changed, or a later version of the project wrote it.
    """
    raise NotImplementedError
