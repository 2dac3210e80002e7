"""Cells for a real kernel, and what they said."""

from typing import Any

import nbformat


def cells(*sources: str) -> Any:
    """A notebook of these code cells."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def told(cell: Any) -> str:
    """All text that a cell printed, displayed or ended in."""
    parts = [part.get("text") or part.get("data", {}).get("text/plain", "") for part in cell.outputs]
    return "".join(parts)


def pages(cell: Any) -> str:
    """All HTML that a cell displayed."""
    return "".join(part.get("data", {}).get("text/html", "") for part in cell.outputs)
