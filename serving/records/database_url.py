"""Which database: the environment, then the settings, else a SQLite file of the project. Passwords are never shown."""

from collections.abc import Mapping

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.records import RecordSettings
from accidents.configuration.redaction import redact_credentials
from accidents.errors import ConfigurationError
from serving.environment import DATABASE

EMBEDDED = PROJECT_ROOT / "records" / "serving.db"

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "postgresql+psycopg2": "postgresql+psycopg2",
}
_FORMS = "postgresql://USER:PASSWORD@HOST:5432/DATABASE or sqlite:///FILE"


def address(settings: RecordSettings, environment: Mapping[str, str]) -> URL:
    """The address of the database, with its driver.

    Raises:
        ConfigurationError: it is no address, or of a database that is not supported.
    """
    if given := environment.get(DATABASE):
        return _read(given, DATABASE)
    if settings.database_url is not None:
        return _read(settings.database_url.get_secret_value(), "records.database_url of the serving configuration")
    return URL.create(SQLITE, database=str(EMBEDDED))


def shown(url: URL) -> str:
    """The address without user, password and options."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    return redact_credentials(plain.render_as_string(hide_password=False))


def _read(text: str, origin: str) -> URL:
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # Neither text says more than this one may, and that of ValueError holds parts of the password.
        raise ConfigurationError(f"{origin}: is no address of a database; write {_FORMS}") from None
    if url.drivername not in _DRIVERS:
        raise ConfigurationError(f"{origin}: {url.drivername} is not supported; write {_FORMS}")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.get_backend_name() == SQLITE:
        return _file(url, origin)
    if "@" in (url.host or ""):
        raise ConfigurationError(f"{origin}: a @ in user or password must be written as %40")
    return url


def _file(url: URL, origin: str) -> URL:
    if url.database in {None, "", ":memory:"} or url.query or url.database.startswith("file:"):
        raise ConfigurationError(f"{origin}: must name a plain file, such as sqlite:////var/lib/accidents/serving.db")
    return url.set(database=str(PROJECT_ROOT / url.database))
