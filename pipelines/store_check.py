"""Check of ZenML's store before it is used: what a user can mend is one paragraph in place of a traceback."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import requests
from packaging.version import InvalidVersion, Version

from accidents.configuration.redaction import redact_credentials
from accidents.errors import AccidentsError, storage_fault
from pipelines.zenml_store import SQLITE, configuration_folder

_MAX_CHARACTERS = 300
_BACK = "or go back to the store of this machine (zenml logout; unset ZENML_STORE_URL)"


class StoreError(AccidentsError):
    """ZenML's server, database or configuration cannot be used."""


def check_store() -> None:
    """Connect to ZenML's server or database, and look its active project and stack up.

    Raises:
        StoreError: it is away, locked or of another version, or there is no such project or stack.
    """
    from zenml.config.global_config import GlobalConfiguration

    try:
        store = GlobalConfiguration().store_configuration
    except Exception as error:  # whatever the YAML file holds
        raise StoreError(
            f"{configuration_folder()}: not a usable configuration of ZenML: {_first_line(error)}; correct "
            "config.yaml, or set ZENML_CONFIG_PATH to another folder"
        ) from error
    place = redact_credentials(str(store.url))
    if place.startswith("http"):
        _check_server(place, store)
    elif place.startswith(SQLITE):
        _check_database_version(Path(place.removeprefix(SQLITE)))
    try:
        _look_up()
    except AccidentsError:
        raise
    except Exception as error:  # ZenML and the drivers of databases raise anything
        fault = storage_fault(str(error)) or f"{_first_line(error)}; start or correct it, {_BACK}"
        raise StoreError(f"the ZenML store {place}: {fault}") from error


def _check_server(url: str, store: Any) -> None:
    """Refuse a server that is away, or of another version."""
    import zenml
    from zenml.constants import DEFAULT_HTTP_TIMEOUT

    timeout = float(getattr(store, "http_timeout", DEFAULT_HTTP_TIMEOUT))
    try:
        response = requests.get(f"{url}/api/v1/info", timeout=timeout, verify=getattr(store, "verify_ssl", True))
        response.raise_for_status()
        version = Version(response.json()["version"])
    except (requests.ConnectionError, requests.Timeout) as error:
        reason = f"no answer within {timeout:g} s" if isinstance(error, requests.Timeout) else "no connection"
        raise StoreError(f"the ZenML server {url} does not answer ({reason}); start it, {_BACK}") from error
    except (requests.RequestException, ValueError, KeyError, TypeError, InvalidVersion) as error:
        raise StoreError(f"{url} does not answer as a ZenML server; correct the address, {_BACK}") from error
    if version.release[:2] != Version(zenml.__version__).release[:2]:
        raise StoreError(
            f"the ZenML server {url} is of version {version}, and ZenML here of version {zenml.__version__}; use a "
            f"server of this version, {_BACK}"
        )


def _check_database_version(file: Path) -> None:
    """Refuse a database of a newer ZenML; ZenML itself upgrades an older one."""
    import zenml

    if not file.exists():
        return
    try:
        with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as database:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        fault = storage_fault(str(error)) or f"{error}; move it away, or set ZENML_CONFIG_PATH to another folder"
        raise StoreError(f"the ZenML database {file}: {fault}") from error
    if row and row[0] != zenml.__version__ and not _is_known(row[0]):
        raise StoreError(
            f"the ZenML database {file} is of a newer version ({row[0]}) than ZenML here ({zenml.__version__}), and "
            "is not written to; install that version, or set ZENML_CONFIG_PATH to another folder"
        )


def _is_known(revision: str) -> bool:
    """Whether ZenML has a migration from a revision of its database."""
    from zenml.zen_stores.migrations import versions

    files = (Path(folder).glob("*.py") for folder in versions.__path__)
    return any(f'revision = "{revision}"' in file.read_text() for folder in files for file in folder)


def _look_up() -> None:
    """Look user, project and stack up.

    Raises:
        StoreError: there is no such project or stack.
    """
    from zenml.client import Client

    client = Client()
    _ = client.active_user
    for kind, look_up in (("project", lambda: client.active_project), ("stack", lambda: client.active_stack_model)):
        variable = f"ZENML_ACTIVE_{kind.upper()}_ID"
        try:
            look_up()
        except (KeyError, RuntimeError, ValueError) as error:
            named = f"{variable}={os.environ[variable]}" if variable in os.environ else f"the active {kind} of ZenML"
            remedy = f"unset {variable}" if variable in os.environ else f"zenml {kind} set NAME"
            raise StoreError(f"{named}: there is no such {kind}; zenml {kind} list names them; {remedy}") from error


def _first_line(error: BaseException) -> str:
    """The message of an error in one line, without credentials."""
    message = redact_credentials(" ".join(str(error).split())).partition(" (Background on this error")[0]
    return message[:_MAX_CHARACTERS] or type(error).__name__
