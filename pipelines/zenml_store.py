"""ZenML's configuration and database on this machine: private, and never half-created."""

import atexit
import os
from pathlib import Path
from typing import Any

from accidents.file_lock import file_lock
from accidents.private_files import create_private_folder, make_private
from accidents.sqlite_files import database_creation, sync_at_checkpoints, use_write_ahead_log
from accidents.temporary_files import temporary_folder

SQLITE = "sqlite:///"
_LOCK_SECONDS = 300


def create_folders() -> None:
    """Create the folders of ZenML's configuration and of its local database, if there is no configuration yet.

    ZenML itself creates them readable by everybody, and the database holds secrets, which are only encoded in base64.

    Raises:
        OSError: they cannot be created.
    """
    from zenml.constants import ENV_ZENML_STORE_PREFIX

    folder, database = configuration_folder(), database_file()
    if (folder / "config.yaml").exists() or f"{ENV_ZENML_STORE_PREFIX}URL" in os.environ:
        return
    for path in (folder, database.parents[1], database.parent):
        create_private_folder(path)


def create_database() -> None:
    """Create the database if ZenML uses that of this machine and there is none; wait for a process that does so.

    ZenML cannot open a database in which it was killed while it created tables and default objects.

    Raises:
        LockedError: another process has been creating it for minutes.
    """
    from zenml.config.global_config import GlobalConfiguration
    from zenml.zen_stores.base_zen_store import BaseZenStore

    configuration = GlobalConfiguration()
    url = str(configuration.get_default_store().url)
    file = Path(url.removeprefix(SQLITE))
    if str(configuration.store_configuration.url) != url or file.exists():
        return
    with file_lock(file.with_name(f".{file.name}.lock"), f"creating {file}", _LOCK_SECONDS):
        if file.exists():
            return
        with temporary_folder(file.parent) as folder:
            with database_creation(folder / file.name):
                store = BaseZenStore.create_store(BaseZenStore.get_default_store_config(str(folder)))
                store.engine.dispose()
                use_write_ahead_log(folder / file.name)
            make_private(folder / file.name)
            (folder / file.name).replace(file)


def commit_fast() -> None:
    """Let this process commit to ZenML's database on this machine without waiting for the disk, where that is safe.

    What ZenML says of models can be made again from MLflow's registry, whose commits do wait.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    if not event.contains(Engine, "connect", _prepare_connection):
        event.listen(Engine, "connect", _prepare_connection)
        atexit.register(_close_connections)


def _close_connections() -> None:
    """Close the connections of ZenML, the last of which empties the write-ahead log: the file alone is complete."""
    from zenml.config.global_config import GlobalConfiguration

    engine = getattr(GlobalConfiguration()._zen_store, "engine", None)  # opens no store
    if engine is not None:
        engine.dispose()


def _prepare_connection(connection: Any, _record: Any) -> None:
    """Prepare a new connection of this process to any database."""
    sync_at_checkpoints(connection, database_file())


def configuration_folder() -> Path:
    """Folder of ZenML's configuration."""
    from zenml.utils.io_utils import get_global_config_directory

    return Path(get_global_config_directory())


def database_file() -> Path:
    """ZenML's database on this machine, whether or not it is in use."""
    from zenml.constants import DEFAULT_STORE_DIRECTORY_NAME, ENV_ZENML_LOCAL_STORES_PATH, LOCAL_STORES_DIRECTORY_NAME

    stores = os.environ.get(ENV_ZENML_LOCAL_STORES_PATH) or configuration_folder() / LOCAL_STORES_DIRECTORY_NAME
    return Path(stores) / DEFAULT_STORE_DIRECTORY_NAME / "zenml.db"
