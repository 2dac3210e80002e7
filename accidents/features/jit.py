"""How numerical loops are compiled with numba: once for fixed types, and kept on disk.

What is kept is renewed when the file of a function changes, and not when another file does: whatever comes from
elsewhere reaches a compiled function as an argument.
"""

from collections.abc import Callable
from typing import Any

import numba


def compiled(*arguments: str, gives: str = "void") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile for the given types, kept on disk where numba finds a folder to write to."""
    signature = f"{gives}({', '.join(arguments)})"

    def compile_(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(signature, cache=True)(function)
        except RuntimeError:  # neither the source folder nor the user's cache folder can be written
            return numba.njit(signature)(function)

    return compile_
