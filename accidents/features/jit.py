"""Compilation of numerical loops with numba: for fixed types, cached on disk.

numba compiles a function again if its file changes, not if another file does. So values from other modules are passed
as arguments.
"""

from collections.abc import Callable
from typing import Any

import numba


def compiled(*arguments: str, returns: str = "void") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function for argument types and a return type, cached on disk if a folder can be written.

    Args:
        *arguments: numba types of the arguments, such as `float32[:, :]`.
        returns: numba type of the result.
    """
    signature = f"{returns}({', '.join(arguments)})"

    def compile_(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(signature, cache=True)(function)
        except RuntimeError:  # neither the source folder nor the user's cache folder can be written
            return numba.njit(signature)(function)

    return compile_
