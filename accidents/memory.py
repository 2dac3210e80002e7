"""Memory of the process."""

import ctypes
import sys


def release_memory() -> None:
    """Return freed memory to the system.

    The C library of Linux keeps freed blocks of up to 32 MB for later ones of their size, which soon are a third of the
    memory of a training. Elsewhere nothing happens.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
