"""URL of the database: from the environment, then the settings, else a SQLite file of the project."""

from collections.abc import Mapping

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.redaction import redact_credentials
from accidents.configuration.serving import RecordSettings
from accidents.errors import ConfigurationError
from serving.environment import DATABASE_URL_ENV

DEFAULT_FILE = PROJECT_ROOT / "records" / "serving.db"

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "postgresql+psycopg2": "postgresql+psycopg2",
}
_EXPECTED = "postgresql://USER:PASSWORD@HOST:5432/DATABASE or sqlite:///FILE"


def resolve_database_url(settings: RecordSettings, environment: Mapping[str, str]) -> URL:
    """The URL of the database, with its driver.

    Raises:
        ConfigurationError: the URL is invalid, or of a database that is not supported.
    """
    if text := environment.get(DATABASE_URL_ENV):
        return _parse(text, DATABASE_URL_ENV)
    if settings.database_url is not None:
        return _parse(settings.database_url.get_secret_value(), "records.database_url of the serving configuration")
    return URL.create(SQLITE, database=str(DEFAULT_FILE))


def redacted_url(url: URL) -> str:
    """The URL without user, password and options."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    return redact_credentials(plain.render_as_string(hide_password=False))


def _parse(text: str, origin: str) -> URL:
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # The messages of these exceptions may contain parts of the password.
        raise ConfigurationError(f"{origin}: is not a database URL; write {_EXPECTED}") from None
    if url.drivername not in _DRIVERS:
        raise ConfigurationError(f"{origin}: {url.drivername} is not supported; write {_EXPECTED}")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.get_backend_name() == SQLITE:
        return _resolve_file(url, origin)
    if "@" in (url.host or ""):
        raise ConfigurationError(f"{origin}: a @ in user or password must be written as %40")
    return url


def _resolve_file(url: URL, origin: str) -> URL:
    if url.database in {None, "", ":memory:"} or url.query or url.database.startswith("file:"):
        raise ConfigurationError(f"{origin}: must name a plain file, such as sqlite:////var/lib/accidents/serving.db")
    return url.set(database=str(PROJECT_ROOT / url.database))
