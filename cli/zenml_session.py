"""ZenML made ready for one command: environment, stack, and what of its messages is worth a line on the terminal.

Call `prepare` before anything imports zenml. The user's own ZenML configuration is used and left as it is: the
project, the `zenml` command and a team server see the same world.
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

AHEAD = (
    "accidents.expectations.engine",
    "accidents.report.model_report",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
)
"""What a second process imports beside the start of ZenML, for checks of data and for reports."""

_NOT_TOLD = ("Using an external artifact", "Skipping step")
_TOLD = ("Step ", "Using cached version", "All steps", "Pipeline run has finished")
_OWN = ("accidents", "cli", "steps")
_DEFAULTS = {
    # On a busy machine threads that wait by spinning make boosters many times slower.
    "OMP_WAIT_POLICY": "PASSIVE",
    "ZENML_ANALYTICS_OPT_IN": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ZENML_LOGGING_COLORS_DISABLED": "true",
}


def read_environment() -> None:
    """Read `.env`, if there is one, and then the defaults, for what the environment does not say."""
    from dotenv import load_dotenv

    load_dotenv(PROJECT_ROOT / ".env", override=False)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)


def prepare(stack: str | None, *, debug: bool) -> str:
    """Make ZenML ready for this process and return the name of the stack in use.

    Args:
        stack: a stack for this process alone; the user's active stack stays what it is.
        debug: show tracebacks and every message of ZenML.

    Raises:
        ConfigurationError: there is no such stack; names those there are.
    """
    read_environment()
    _read_packages_once()
    from zenml.client import Client
    from zenml.utils import source_utils

    source_utils.set_custom_source_root(str(PROJECT_ROOT))
    if not debug:
        quieten()
    client = Client()
    if stack:
        known = {model.name: model for model in client.list_stacks(size=1000).items}
        if stack not in known:
            from stacks.description import unknown_stack_message

            raise ConfigurationError(f"--stack {unknown_stack_message(stack, list(known))}")
        os.environ["ZENML_ACTIVE_STACK_ID"] = str(known[stack].id)
    return str(client.active_stack_model.name)


def _read_packages_once() -> None:
    """Read which packages are installed once a process, and not, as ZenML does, for each artifact that is stored."""
    read = importlib.metadata.packages_distributions
    if not hasattr(read, "cache_info"):
        importlib.metadata.packages_distributions = functools.cache(read)


def quieten() -> None:
    """Let ZenML say which steps run, and warnings; failures are told by the command, without tracebacks."""
    for handler in logging.getLogger().handlers + logging.getLogger("zenml").handlers:
        handler.addFilter(_worth_telling)


@contextmanager
def progress_on_stderr() -> Iterator[None]:
    """Let what steps and ZenML say go to standard error, where the output is for a program."""
    talking = [
        handler
        for handler in logging.getLogger().handlers + logging.getLogger("zenml").handlers
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler)
    ]
    before = [handler.setStream(sys.stderr) for handler in talking]
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        for handler, stream in zip(talking, before, strict=True):
            handler.setStream(stream or handler.stream)


def _worth_telling(record: logging.LogRecord) -> bool:
    """Progress of the project and of steps, and warnings; errors of ZenML are told once, by the command."""
    if record.getMessage().startswith(_NOT_TOLD):
        return False
    if record.name.startswith("zenml"):
        record.exc_info, record.exc_text = None, None
        return logging.INFO < record.levelno < logging.ERROR or record.getMessage().startswith(_TOLD)
    return record.levelno > logging.INFO or record.name.partition(".")[0] in _OWN
