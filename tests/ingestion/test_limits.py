"""Where the limits lie: shares are compared as they are, and a few rows prove nothing."""

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.ingestion import ingest
from tests.editions import OLD, Cells, as_text, synthetic_cells, write
from tests.ingestion.conftest import ACCIDENTS, TODAY, Run

C, L, V, U = Table
TWENTIETH = ACCIDENTS // 20


def with_bad_cells(clean_cells: Cells, number: int) -> dict[Table, bytes]:
    cells = clean_cells[C].copy()
    cells.loc[: number - 1, "lum"] = "77"
    return {C: as_text(cells)}


@pytest.mark.parametrize("number", [round(0.045 * ACCIDENTS), TWENTIETH - 1])
def test_less_than_five_percent_of_bad_cells_become_missing(number: int, run: Run, clean_cells: Cells) -> None:
    result = run(with_bad_cells(clean_cells, number))
    line = result.report[result.report["column"] == "lum"].iloc[0]
    assert (line["rows"], line["action"]) == (number, "set to missing")


def test_exactly_five_percent_of_bad_cells_stop(run: Run, clean_cells: Cells) -> None:
    with pytest.raises(DataError, match=r"column lum: not allowed.*75 rows, 5\.00%"):
        run(with_bad_cells(clean_cells, TWENTIETH))


def coach(tmp_path_factory: pytest.TempPathFactory, passengers: int) -> pd.DataFrame:
    """The report on one accident of 2012, when people had no ids, with passengers that are all alike."""
    cells = synthetic_cells(300, 2012)
    accident = cells[U]["Num_Acc"].iloc[0]
    one = {table: cells[table][cells[table]["Num_Acc"] == accident] for table in Table}
    people = pd.concat([one[U], *[one[U].iloc[[0]]] * passengers])
    files = {table: as_text(one[table], OLD) for table in Table} | {U: as_text(people, OLD)}
    edition = write(tmp_path_factory.mktemp("coach"), files)
    return ingest([edition], IngestionSettings(), labelled=False, today=TODAY).report


def test_passengers_who_are_alike_are_no_file_pasted_twice(tmp_path_factory: pytest.TempPathFactory) -> None:
    report = coach(tmp_path_factory, 60)
    line = report[report["check"].str.contains("most rows occur twice")].iloc[0]
    assert (line["action"], line["rows"]) == ("ignored", 61)
    with pytest.raises(DataError, match="duplicate rows: most rows occur twice"):
        coach(tmp_path_factory, 400)
