"""Shifted rows are detected, although many of their cells are allowed where they are."""

from pathlib import Path

import pandas as pd
import pytest

from accidents.cleaning.shifted_rows import find_shifted_rows
from accidents.columns import Table
from accidents.errors import DataError
from accidents.reading.typed_table import read_table
from tests.editions import Cells, as_text
from tests.ingestion.conftest import Run
from tests.ingestion.test_account import REAL_2024, assert_adds_up

pytestmark = pytest.mark.slow
C, L, V, U = Table


def shifted(cells: pd.DataFrame, rows: list[int], column: str, by: int) -> pd.DataFrame:
    """The cells of some rows from a column on, moved to the right by one or to the left."""
    values, first = cells.to_numpy(copy=True), list(cells).index(column)
    for row in rows:
        moved = values[row, first:].copy()
        values[row, first:] = ["", *moved[:-1]] if by > 0 else [*moved[1:], ""]
    return pd.DataFrame(values, columns=cells.columns)


@pytest.mark.parametrize(
    ("table", "column"), [(C, "jour"), (C, "hrmn"), (L, "catr"), (L, "circ"), (V, "senc"), (U, "place"), (U, "catu")]
)
@pytest.mark.parametrize("by", [1, -1])
def test_many_shifted_rows_stop(table: Table, column: str, by: int, run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[table]
    with pytest.raises(DataError, match=rf"{table}\.csv, column \w+: .*are shifted by one column"):
        run({table: as_text(shifted(cells, list(range(100, 300)), column, by))})


def test_one_shifted_row_is_quarantined_with_its_accident(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[U]
    driver = cells.index[(cells["catu"] == "1") & (cells["secu1"].str.strip() != "-1")][40]
    result = run({U: as_text(shifted(cells, [driver], "catu", 1))})
    assert_adds_up(result)
    quarantined = result.quarantine
    itself = quarantined[
        (quarantined["table"] == U) & quarantined["reason"].str.startswith("the cells of the row are shifted")
    ]
    assert itself["row"].tolist() == [driver + 2]
    assert set(quarantined["Num_Acc"]) == {int(str(cells["Num_Acc"][driver]))}
    assert not result.accidents.people["Num_Acc"].isin(quarantined["Num_Acc"]).any()


def test_invalid_codes_in_many_columns_of_the_same_rows_are_no_shift(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells.loc[100:140, ["lum", "agg", "int", "atm", "col"]] = "77"
    result = run({C: as_text(cells)})
    assert result.quarantine.empty
    bad = result.report[result.report["action"] == "set to missing"].set_index("column")["rows"]
    assert bad[["lum", "agg", "int", "atm", "col"]].tolist() == [41] * 5


@pytest.mark.real
def test_no_real_row_counts_as_shifted(real_baac: Path, tmp_path: Path) -> None:
    codes = {C: (b"lum", b"agg"), L: (b"catr", b"surf"), V: (b"catv", b"manv"), U: (b"catu", b"sexe")}
    for table, name in REAL_2024.items():
        header, *rows = [line.split(b";") for line in (real_baac / "2024" / name).read_bytes().splitlines()]
        for row in rows[5:7]:  # bad cells in two columns: the rows are looked at
            for code in codes[table]:
                row[header.index(b'"' + code + b'"')] = b'"777"'
        (tmp_path / name).write_bytes(b"\n".join(b";".join(fields) for fields in [header, *rows]))
        file = read_table(str(tmp_path / name), table, 2024)
        assert file.texts
        assert not find_shifted_rows(file)[0].any()
