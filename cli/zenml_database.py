"""ZenML's database on this machine, which appears under its name once it is complete."""

from pathlib import Path

from accidents.file_lock import file_lock
from accidents.private_files import make_private
from accidents.temporary_files import temporary_folder

_SQLITE = "sqlite:///"
_LOCK_SECONDS = 300


def create_local_database() -> None:
    """Create the database if ZenML uses that of this machine and there is none; wait for a process that does so.

    ZenML cannot open a database in which it was killed while it created tables and default objects.

    Raises:
        LockedError: another process has been creating it for minutes.
    """
    from zenml.config.global_config import GlobalConfiguration
    from zenml.zen_stores.base_zen_store import BaseZenStore

    configuration = GlobalConfiguration()
    url = str(configuration.get_default_store().url)
    file = Path(url.removeprefix(_SQLITE))
    if str(configuration.store_configuration.url) != url or file.exists():
        return
    with file_lock(file.with_name(f".{file.name}.lock"), f"creating {file}", _LOCK_SECONDS):
        if file.exists():
            return
        with temporary_folder(file.parent) as folder:
            store = BaseZenStore.create_store(BaseZenStore.get_default_store_config(str(folder)))
            store.engine.dispose()
            make_private(folder / file.name)
            (folder / file.name).replace(file)
