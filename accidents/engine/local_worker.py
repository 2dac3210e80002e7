"""Preloaded by workers on this machine, which share the terminal and end with the command."""

import os
from typing import Any

from accidents.worker_process import exit_at_once


def dask_setup(worker: Any) -> None:  # noqa: ARG001 - the signature is Dask's
    """Drop what libraries print in a worker that starts; messages for users take another way (`Engine.report`)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def dask_teardown(worker: Any) -> None:  # noqa: ARG001
    """Exit at once: Python takes a second to free what the libraries hold, and Dask has little patience."""
    exit_at_once()
