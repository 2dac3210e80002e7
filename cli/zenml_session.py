"""Start of every command that uses ZenML: its stack, and how much is logged.

The user's own ZenML configuration is used and left as it is: the project, the `zenml` command and a team server work
with the same stacks, runs and artifacts.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from accidents.configuration.environment import load_environment
from accidents.errors import ConfigurationError

_HIDDEN_MESSAGES = ("Using an external artifact", "Skipping step")
_PROGRESS_MESSAGES = ("Step ", "Using cached version", "All steps", "Pipeline run has finished")
_LOGGED_PACKAGES = ("accidents", "cli", "steps")


def prepare_zenml(stack: str | None, *, debug: bool) -> str:
    """Configure ZenML for this process and return the name of the stack in use.

    Args:
        stack: a stack for this process alone; the active stack of the user does not change. The active one where None.
        debug: show tracebacks and every message of ZenML.

    Raises:
        ConfigurationError: there is no such stack; lists the registered ones.
    """
    from pipelines.session import prepare_process

    load_environment()
    import zenml  # noqa: F401  # creates the handlers

    if not debug:
        filter_log_messages()
    prepare_process()
    from zenml.client import Client

    client = Client()
    if stack:
        stacks = {model.name: model for model in client.list_stacks(size=1000).items}
        if stack not in stacks:
            from stacks.description import unknown_stack_message

            raise ConfigurationError(f"--stack {unknown_stack_message(stack, list(stacks))}")
        os.environ["ZENML_ACTIVE_STACK_ID"] = str(stacks[stack].id)
    return str(client.active_stack_model.name)


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
