"""Preparation of a process for ZenML, the same for commands, notebooks and plain Python."""

import functools
import importlib.metadata

from accidents.configuration.environment import load_environment
from accidents.configuration.paths import PROJECT_ROOT


def prepare_process() -> None:
    """Load the environment, create ZenML's store if there is none, and say where the sources of steps lie."""
    load_environment()
    _cache_installed_packages()
    from zenml.utils import source_utils

    from pipelines.zenml_store import create_database, create_folders

    create_folders()
    source_utils.set_custom_source_root(str(PROJECT_ROOT))
    create_database()


def _cache_installed_packages() -> None:
    """List the installed packages once a process; ZenML does so for each artifact that it stores."""
    read = importlib.metadata.packages_distributions
    if not hasattr(read, "cache_info"):
        importlib.metadata.packages_distributions = functools.cache(read)
