"""Files with secrets or personal data: the local store of ZenML, credentials, and the records of the service.

What commands of the project create is for its owner alone. What others created stays as it is; `stack check` names it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from accidents.configuration.paths import PROJECT_ROOT
from accidents.private_files import chmod_command, is_exposed

_SQLITE_COMPANIONS = ("", "-journal", "-wal", "-shm")


def exposed_files() -> list[dict[str, str]]:
    """Files and folders that other users may read or change: `path`, what it `contains`, and the `command` to end that.

    Raises:
        ConfigurationError: the configuration of the service is invalid.
    """
    return [
        {"path": str(path), "contains": contents, "command": chmod_command(path)}
        for path, contents in _private_paths()
        if is_exposed(path)
    ]


def _private_paths() -> Iterator[tuple[Path, str]]:
    from accidents.configuration.loading import load_configuration
    from pipelines.zenml_store import configuration_folder, database_file
    from serving.records.database import DEFAULT_FILE, SQLITE, resolve_database_url

    yield PROJECT_ROOT / ".env", "passwords and tokens"
    yield configuration_folder(), "configuration, credentials and database of ZenML"
    yield configuration_folder() / "credentials.yaml", "tokens for ZenML servers"
    for ending in _SQLITE_COMPANIONS:
        yield Path(f"{database_file()}{ending}"), "secrets of ZenML, encoded in base64"
    yield DEFAULT_FILE.parent, "the database of the service"
    url = resolve_database_url(load_configuration(()).serving.records, os.environ)
    if url.get_backend_name() == SQLITE:
        for ending in _SQLITE_COMPANIONS:
            yield Path(f"{url.database}{ending}"), "predictions with accidents, and API keys as SHA-256"
