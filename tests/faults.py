"""Fault injection: named faults that damage the files of a clean edition, to test how they are handled.

Every fault is either corrected (the accidents are the same as without it) or stops the run. It works on a folder
written by `write_sample`, in either layout.
"""

import io
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from accidents.atomic_write import write_bytes
from accidents.columns import TABLES, ColumnKind, Table
from accidents.sample.file_layouts import LayoutName, encode_file

SHARE_OF_BAD_ROWS = 0.01
SHARE_OF_BAD_CODES = 0.05
SWAPPED_COORDINATES = 5
FUTURE_YEAR = 2090

_UNUSED_ID = 99_999_999
_HTML = b"<!DOCTYPE html>\n<html><head><title>503</title></head><body>Service unavailable</body></html>\n"


class Files:
    """Access to the four files of an edition by table."""

    def __init__(self, folder: Path, seed: int) -> None:
        starts = {Table.CARACTERISTIQUES: "car*.csv"}
        self.paths = {table: next(folder.glob(starts.get(table, f"{table}*.csv"))) for table in Table}
        self.rng = np.random.default_rng(seed)

    def content(self, table: Table) -> bytes:
        """The bytes of a file."""
        return self.paths[table].read_bytes()

    def replace(self, table: Table, content: bytes) -> None:
        """Replace the bytes of a file."""
        write_bytes(self.paths[table], content)

    def layout(self, table: Table) -> LayoutName:
        """The layout of a file."""
        return "2019" if self.content(table).startswith(b'"') else "2005"

    def cells(self, table: Table) -> pd.DataFrame:
        """The text of every cell."""
        new = self.layout(table) == "2019"
        text = self.content(table).decode("utf-8" if new or table is not Table.CARACTERISTIQUES else "latin-1")
        separator = ";" if new else self._old_separator(table)
        return pd.read_csv(io.StringIO(text), sep=separator, dtype=str, keep_default_na=False)

    def write(self, table: Table, cells: pd.DataFrame) -> None:
        """Replace the cells of a file, in its layout."""
        tabs = self.layout(table) == "2005" and self._old_separator(table) == "\t"
        self.replace(table, encode_file(cells, self.layout(table), tabs=tabs))

    def some_rows(self, cells: pd.DataFrame, share: float) -> np.ndarray:
        """Positions of a share of the rows, rounded up."""
        return self.rng.choice(len(cells), size=math.ceil(share * len(cells)), replace=False)

    def _old_separator(self, table: Table) -> str:
        return "\t" if b"\t" in self.content(table).split(b"\n", 1)[0] else ","


@dataclass(frozen=True)
class Fault:
    """A named way to damage an edition, and the expected outcome."""

    description: str
    outcome: Literal["corrected", "stopped"]
    damage: Callable[[Files], None]

    def apply(self, folder: Path, seed: int = 0) -> None:
        """Damage the files of `folder` in place; the rows depend on the seed."""
        self.damage(Files(folder, seed))

    def inject(self, source: Path, target: Path, seed: int = 0) -> None:
        """Copy the edition in `source` to the new folder `target`, and damage the copy."""
        shutil.copytree(source, target)
        self.apply(target, seed)


def _on_bytes(change: Callable[[bytes], bytes], *tables: Table) -> Callable[[Files], None]:
    def damage(files: Files) -> None:
        for table in tables or Table:
            files.replace(table, change(files.content(table)))

    return damage


def _on_cells(change: Callable[[pd.DataFrame, Files, Table], pd.DataFrame], *tables: Table) -> Callable[[Files], None]:
    def damage(files: Files) -> None:
        for table in tables or Table:
            files.write(table, change(files.cells(table), files, table))

    return damage


def _as_latin1(content: bytes) -> bytes:
    try:
        return content.decode("utf-8").encode("latin-1")
    except UnicodeDecodeError:
        return content  # an old file, which is in Latin-1 as it is


def _with_crlf(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _with_no_break_spaces(cells: pd.DataFrame, _files: Files, _table: Table) -> pd.DataFrame:
    return cells.map(lambda cell: f"\N{NO-BREAK SPACE}{cell}")


def _zero_padded(cells: pd.DataFrame, _files: Files, table: Table) -> pd.DataFrame:
    for column in TABLES[table].values():
        if column.kind is ColumnKind.CODE and column.name in cells:
            texts = cells[column.name]
            cells[column.name] = texts.where(~texts.str.fullmatch(r"\d"), "0" + texts)
    return cells


def _shuffled_columns(cells: pd.DataFrame, files: Files, _table: Table) -> pd.DataFrame:
    return cells[files.rng.permutation(cells.columns)]


def _with_extra_column(cells: pd.DataFrame, _files: Files, _table: Table) -> pd.DataFrame:
    return cells.assign(remarque="à vérifier")


def _with_swapped_coordinates(cells: pd.DataFrame, files: Files, _table: Table) -> pd.DataFrame:
    rows = files.rng.choice(len(cells), size=SWAPPED_COORDINATES, replace=False)
    cells.loc[rows, ["lat", "long"]] = cells.loc[rows, ["long", "lat"]].to_numpy()
    return cells


def _with_swapped_columns(cells: pd.DataFrame, _files: Files, _table: Table) -> pd.DataFrame:
    return cells.assign(catv=cells["manv"], manv=cells["catv"])


def _without_a_column(cells: pd.DataFrame, _files: Files, _table: Table) -> pd.DataFrame:
    return cells.drop(columns="catv")


def _with_duplicate_keys(cells: pd.DataFrame, files: Files, _table: Table) -> pd.DataFrame:
    return pd.concat([cells, cells.iloc[files.some_rows(cells, SHARE_OF_BAD_ROWS)]])


def _with_orphans(cells: pd.DataFrame, files: Files, _table: Table) -> pd.DataFrame:
    rows = files.some_rows(cells, SHARE_OF_BAD_ROWS)
    cells.loc[rows, "Num_Acc"] = cells.loc[rows, "Num_Acc"].str[:4] + str(_UNUSED_ID)
    return cells


def _in_another_year(cells: pd.DataFrame, year: int, rows: pd.Series) -> pd.DataFrame:
    """Move the accidents of some rows to another year."""
    key = "Accident_Id" if "Accident_Id" in cells else "Num_Acc"
    cells[key] = cells[key].where(~rows, str(year) + cells[key].str[4:])
    if "an" in cells:
        cells["an"] = cells["an"].where(~rows, str(year)[-len(cells["an"].iloc[0]) :])
    return cells


def _two_years(cells: pd.DataFrame, _files: Files, _table: Table) -> pd.DataFrame:
    key = cells["Accident_Id" if "Accident_Id" in cells else "Num_Acc"]
    return _in_another_year(cells, int(key.iloc[0][:4]) - 1, key.str[-1] == "7")


def _in_the_future(cells: pd.DataFrame, _files: Files, _table: Table) -> pd.DataFrame:
    return _in_another_year(cells, FUTURE_YEAR, pd.Series(True, index=cells.index))


def _without_labels(cells: pd.DataFrame, files: Files, table: Table) -> pd.DataFrame:
    return cells.assign(grav=" -1" if files.layout(table) == "2019" else "")


def _with_a_code_outside_its_list(cells: pd.DataFrame, files: Files, _table: Table) -> pd.DataFrame:
    cells.loc[files.some_rows(cells, SHARE_OF_BAD_CODES), "lum"] = "77"
    return cells


def _wrongly_decoded(cells: pd.DataFrame, files: Files, table: Table) -> pd.DataFrame:
    # Done once, an old file in Latin-1 would merely become a good one in UTF-8.
    for _time in range(1 if files.layout(table) == "2019" else 2):
        cells["adr"] = [cell.encode("utf-8").decode("latin-1") for cell in cells["adr"]]
    return cells


def _everything_in_the_future(files: Files) -> None:
    _on_cells(_in_the_future)(files)
    for path in files.paths.values():
        path.rename(path.with_name(path.name[: -len("2024.csv")] + f"{FUTURE_YEAR}.csv"))


_C, _L, _V, _U = Table.CARACTERISTIQUES, Table.LIEUX, Table.VEHICULES, Table.USAGERS

FAULTS: Mapping[str, Fault] = {
    "bom": Fault(
        "a byte order mark begins every file", "corrected", _on_bytes(lambda content: b"\xef\xbb\xbf" + content)
    ),
    "no_break_spaces": Fault("a no-break space begins every cell", "corrected", _on_cells(_with_no_break_spaces)),
    "latin1": Fault("all files are in Latin-1", "corrected", _on_bytes(_as_latin1)),
    "crlf": Fault("lines end with CR and LF", "corrected", _on_bytes(_with_crlf)),
    "zero_padded": Fault("codes of one digit have a zero before it", "corrected", _on_cells(_zero_padded)),
    "column_order": Fault("columns stand in another order", "corrected", _on_cells(_shuffled_columns)),
    "extra_column": Fault("every file has one column more", "corrected", _on_cells(_with_extra_column)),
    "swapped_coordinates": Fault(
        "a few accidents have latitude and longitude exchanged", "corrected", _on_cells(_with_swapped_coordinates, _C)
    ),
    "wrong_separator": Fault(
        "lieux is separated by carets",
        "stopped",
        _on_bytes(lambda content: content.replace(b";", b"^").replace(b",", b"^"), _L),
    ),
    "truncated_last_line": Fault(
        "the last line of usagers is cut off", "stopped", _on_bytes(lambda content: content[:-15], _U)
    ),
    "swapped_columns": Fault(
        "catv and manv have each other's contents in vehicules", "stopped", _on_cells(_with_swapped_columns, _V)
    ),
    "missing_column": Fault("vehicules has no catv", "stopped", _on_cells(_without_a_column, _V)),
    "duplicate_keys": Fault(
        "one accident in a hundred occurs twice in caracteristiques", "stopped", _on_cells(_with_duplicate_keys, _C)
    ),
    "orphan_vehicles": Fault("one vehicle in a hundred has no accident", "stopped", _on_cells(_with_orphans, _V)),
    "orphan_people": Fault("one person in a hundred has no accident", "stopped", _on_cells(_with_orphans, _U)),
    "two_years_mixed": Fault("one accident in ten is of the year before", "stopped", _on_cells(_two_years)),
    "labels_missing": Fault("nobody's injury is recorded", "stopped", _on_cells(_without_labels, _U)),
    "code_outside_list": Fault(
        "lum is 77 in five rows of a hundred", "stopped", _on_cells(_with_a_code_outside_its_list, _C)
    ),
    "wrong_encoding": Fault(
        "addresses were decoded as Latin-1 in place of UTF-8", "stopped", _on_cells(_wrongly_decoded, _C)
    ),
    "empty_file": Fault("lieux is empty", "stopped", _on_bytes(lambda _content: b"", _L)),
    "html_file": Fault("vehicules is a web page", "stopped", _on_bytes(lambda _content: _HTML, _V)),
    "future_dates": Fault(f"all accidents are in the year {FUTURE_YEAR}", "stopped", _everything_in_the_future),
}
"""All faults, by name."""
