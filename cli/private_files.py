"""Files with secrets or personal data: the local store of ZenML, credentials, and the records of the service.

What commands of the project create is for its owner alone. What others created stays as it is; `stack check` names it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from accidents.configuration.paths import PROJECT_ROOT
from accidents.private_files import chmod_command, create_private_folder, is_exposed

_SQLITE_COMPANIONS = ("", "-journal", "-wal", "-shm")


def create_zenml_folders() -> None:
    """Create the folders of ZenML's configuration and of its local database, if there is no configuration yet.

    ZenML itself creates them readable by everybody, and the database holds secrets, which are only encoded in base64.
    """
    from zenml.constants import ENV_ZENML_STORE_PREFIX

    folder, database = _zenml_folder(), _zenml_database()
    if (folder / "config.yaml").exists() or f"{ENV_ZENML_STORE_PREFIX}URL" in os.environ:
        return
    for path in (folder, database.parents[1], database.parent):
        create_private_folder(path)


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
    from serving.records.database import DEFAULT_FILE, SQLITE, resolve_database_url

    yield PROJECT_ROOT / ".env", "passwords and tokens"
    yield _zenml_folder(), "configuration, credentials and database of ZenML"
    yield _zenml_folder() / "credentials.yaml", "tokens for ZenML servers"
    for ending in _SQLITE_COMPANIONS:
        yield Path(f"{_zenml_database()}{ending}"), "secrets of ZenML, encoded in base64"
    yield DEFAULT_FILE.parent, "the database of the service"
    url = resolve_database_url(load_configuration(()).serving.records, os.environ)
    if url.get_backend_name() == SQLITE:
        for ending in _SQLITE_COMPANIONS:
            yield Path(f"{url.database}{ending}"), "predictions with accidents, and API keys as SHA-256"


def _zenml_folder() -> Path:
    from zenml.utils.io_utils import get_global_config_directory

    return Path(get_global_config_directory())


def _zenml_database() -> Path:
    from zenml.constants import DEFAULT_STORE_DIRECTORY_NAME, ENV_ZENML_LOCAL_STORES_PATH, LOCAL_STORES_DIRECTORY_NAME

    stores = os.environ.get(ENV_ZENML_LOCAL_STORES_PATH) or _zenml_folder() / LOCAL_STORES_DIRECTORY_NAME
    return Path(stores) / DEFAULT_STORE_DIRECTORY_NAME / "zenml.db"
