"""Notebooks of code cells, and the outputs of cells."""

from typing import Any

import nbformat


def cells(*sources: str) -> Any:
    """A notebook of these code cells."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def text_output(cell: Any) -> str:
    """All text that a cell printed or displayed."""
    parts = [part.get("text") or part.get("data", {}).get("text/plain", "") for part in cell.outputs]
    return "".join(parts)


def html_output(cell: Any) -> str:
    """All HTML that a cell displayed."""
    return "".join(part.get("data", {}).get("text/html", "") for part in cell.outputs)
