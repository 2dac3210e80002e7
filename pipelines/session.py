"""Preparation of a process for ZenML, the same for commands, notebooks and plain Python."""

import functools
import importlib.metadata

from accidents.configuration.environment import load_environment
from accidents.configuration.paths import PROJECT_ROOT


def prepare_process() -> None:
    """Load the environment, create ZenML's store if there is none, and say where the sources of steps lie.

    Raises:
        StoreError: ZenML's store or configuration cannot be used; has place, fault and remedy.
    """
    load_environment()
    _cache_installed_packages()
    from zenml.utils import source_utils

    from pipelines.store_check import StoreError, check_store
    from pipelines.zenml_store import commit_fast, configuration_folder, create_database, create_folders

    source_utils.set_custom_source_root(str(PROJECT_ROOT))
    try:
        create_folders()
        create_database()
        commit_fast()
    except OSError as error:
        raise StoreError(
            f"{error.filename or configuration_folder()}: ZenML cannot keep its configuration there: "
            f"{error.strerror}; correct the rights, or set ZENML_CONFIG_PATH to another folder"
        ) from error
    check_store()


def _cache_installed_packages() -> None:
    """List the installed packages once a process; ZenML does so for each artifact that it stores."""
    read = importlib.metadata.packages_distributions
    if not hasattr(read, "cache_info"):
        importlib.metadata.packages_distributions = functools.cache(read)
