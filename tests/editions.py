"""Small editions for tests: synthetic years as text cells, and how they are written in either layout."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from accidents.columns import Table
from accidents.sample.writer import generate_sample
from accidents.sources.edition import Edition

Cells = dict[Table, pd.DataFrame]
"""The text cells of the four files of a year."""


def synthetic_cells(accidents: int, year: int = 2024, seed: int = 0) -> Cells:
    """Text cells of a clean synthetic year."""
    return generate_sample(accidents, year=year, seed=seed)


@dataclass(frozen=True)
class Writing:
    """How files are written; the defaults are those of the layout since 2019."""

    separator: str = ";"
    quoted: bool = True
    line_end: str = "\n"
    encoding: str = "utf-8"
    mark: bytes = b""


OLD = Writing(separator=",", quoted=False, line_end="\r\n", encoding="latin-1")
NEW = Writing()


def as_text(cells: pd.DataFrame, writing: Writing = NEW) -> bytes:
    """The bytes of a file."""
    lines = [list(cells.columns), *cells.to_numpy().tolist()]
    text = "".join(writing.separator.join(_field(cell, writing) for cell in line) + writing.line_end for line in lines)
    return writing.mark + text.encode(writing.encoding)


def _field(cell: str, writing: Writing) -> str:
    if writing.quoted or writing.separator in cell or '"' in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def write(folder: Path, files: Mapping[Table, bytes], year: int | None = None) -> Edition:
    """Write the bytes of the four files, and the edition that they make."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, content in files.items():
        (folder / f"{table}.csv").write_bytes(content)
    return Edition(year, {table: str(folder / f"{table}.csv") for table in files})
