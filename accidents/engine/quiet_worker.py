"""Preloaded by workers on this machine, which share the terminal: what libraries print there is dropped."""

import os
from typing import Any


def dask_setup(worker: Any) -> None:  # noqa: ARG001 - the signature is Dask's
    """Dask calls this when a worker starts; messages for users take another way (`Engine.report`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
