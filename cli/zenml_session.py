"""Start of every command that uses ZenML: environment, stack, and how much is logged.

The user's own ZenML configuration is used and left as it is: the project, the `zenml` command and a team server work
with the same stacks, runs and artifacts.
"""

import functools
import importlib.metadata
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from accidents.configuration.paths import PROJECT_ROOT
from accidents.errors import ConfigurationError
from cli.private_files import create_zenml_folders
from cli.zenml_database import create_local_database

PRELOADED_MODULES = (
    "accidents.expectations.engine",
    "accidents.report.model_report",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
)
"""Modules that a second process imports while ZenML starts, for data checks and reports."""

_HIDDEN_MESSAGES = ("Using an external artifact", "Skipping step")
_PROGRESS_MESSAGES = ("Step ", "Using cached version", "All steps", "Pipeline run has finished")
_LOGGED_PACKAGES = ("accidents", "cli", "steps")
_ENVIRONMENT_DEFAULTS = {
    # On a busy machine threads that wait by spinning make boosters many times slower.
    "OMP_WAIT_POLICY": "PASSIVE",
    "ZENML_ANALYTICS_OPT_IN": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ZENML_LOGGING_COLORS_DISABLED": "true",
}


_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def load_environment() -> None:
    """Load `.env`, if there is one, and then the defaults; variables that are set keep their values.

    Services of this machine are reached without a proxy; docs/environment.md lists the variables that have an effect.
    """
    from dotenv import load_dotenv

    load_dotenv(PROJECT_ROOT / ".env", override=False)
    for name, value in _ENVIRONMENT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    _bypass_proxy()


def _bypass_proxy() -> None:
    """Reach services of this machine, such as a deployed model, without the HTTP proxy of the environment."""
    bypassed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in bypassed.split(",") if host.strip()]
    if "*" not in hosts:
        hosts += [host for host in _LOCAL_HOSTS if host not in hosts]
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)


def prepare_zenml(stack: str | None, *, debug: bool) -> str:
    """Configure ZenML for this process and return the name of the stack in use.

    Args:
        stack: a stack for this process alone; the active stack of the user does not change. The active one where None.
        debug: show tracebacks and every message of ZenML.

    Raises:
        ConfigurationError: there is no such stack; lists the registered ones.
    """
    load_environment()
    _cache_installed_packages()
    create_zenml_folders()
    from zenml.client import Client
    from zenml.utils import source_utils

    source_utils.set_custom_source_root(str(PROJECT_ROOT))
    if not debug:
        filter_log_messages()
    create_local_database()
    client = Client()
    if stack:
        stacks = {model.name: model for model in client.list_stacks(size=1000).items}
        if stack not in stacks:
            from stacks.description import unknown_stack_message

            raise ConfigurationError(f"--stack {unknown_stack_message(stack, list(stacks))}")
        os.environ["ZENML_ACTIVE_STACK_ID"] = str(stacks[stack].id)
    return str(client.active_stack_model.name)


def _cache_installed_packages() -> None:
    """List the installed packages once a process; ZenML does so for each artifact that it stores."""
    read = importlib.metadata.packages_distributions
    if not hasattr(read, "cache_info"):
        importlib.metadata.packages_distributions = functools.cache(read)


def filter_log_messages() -> None:
    """Log progress and warnings only; the command prints errors itself, without tracebacks."""
    for handler in _log_handlers():
        handler.addFilter(_is_shown)


@contextmanager
def logs_to_stderr() -> Iterator[None]:
    """Send logs and prints of steps and of ZenML to standard error, where standard output is JSON."""
    handlers = [
        handler
        for handler in _log_handlers()
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler)
    ]
    streams = [handler.setStream(sys.stderr) for handler in handlers]
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            handler.setStream(stream or handler.stream)


def _log_handlers() -> list[logging.Handler]:
    return logging.getLogger().handlers + logging.getLogger("zenml").handlers


def _is_shown(record: logging.LogRecord) -> bool:
    """Log filter: progress of the project and of steps, and warnings."""
    if record.getMessage().startswith(_HIDDEN_MESSAGES):
        return False
    if record.name.startswith("zenml"):
        record.exc_info, record.exc_text = None, None
        return logging.INFO < record.levelno < logging.ERROR or record.getMessage().startswith(_PROGRESS_MESSAGES)
    return record.levelno > logging.INFO or record.name.partition(".")[0] in _LOGGED_PACKAGES
