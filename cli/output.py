"""Printing: JSON for scripts, text and tables for people."""

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH_OF_A_PIPE = 180


def print_json(values: Any) -> None:
    """Print values as indented JSON."""
    print(json.dumps(values, indent=2), flush=True)


def print_result(values: Any, text: "str | Table", *, as_json: bool) -> None:
    """Print values as JSON, or a line or table that shows them to people."""
    if as_json:
        print_json(values)
    elif isinstance(text, str):
        print(text, flush=True)
    else:
        console().print(text)


def console() -> "Console":
    """A console for tables, wide where standard output is a file or a pipe."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    # No markup: names and paths may contain brackets.
    return Console(width=width, highlight=False, markup=False, force_jupyter=False)
