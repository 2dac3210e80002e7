"""Preloaded by workers on this machine, which share the terminal: what libraries print there is dropped."""

import os
from typing import Any


def dask_setup(worker: Any) -> None:  # noqa: ARG001 - the signature is Dask's
    """Dask calls this when a worker starts; messages for users take another way (`Engine.report`)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
