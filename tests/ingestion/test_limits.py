"""Where the limits lie: shares are compared as they are, and a few rows prove nothing."""

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.ingestion import ingest
from accidents.reading.issues import Action, DataIssue, stop_above_limit
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


@pytest.mark.slow
def test_every_issue_of_the_report_has_a_limit(clean_cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An edition with many faults is read with the default limits; a limit of its own stops it for each issue."""
    faults: dict[Table, list[tuple[int, str, str]]] = {
        C: [
            *((0, "dep", "'75"), (0, "com", "75101"), (1, "lat", "-20,9"), (2, "long", "-1"), (3, "adr", "ALLÃ©E")),
            *((4, "hrmn", "9h05"), (5, "hrmn", "17"), (6, "jour", "31"), (6, "mois", "2"), (7, "an", "2023")),
        ],
        L: [(0, "surf", "NaN"), (1, "nbv", "#REF!"), (2, "vma", "+50"), (3, "circ", "02")],
        V: [(0, "num_veh", "a01"), (1, "obs", " 1 0"), (2, "catv", "07")],
        U: [(0, "an_nais", "2031"), (1, "catu", "7"), (2, "an_nais", "1\u202f987")],
    }
    cells = {table: frame.copy() for table, frame in clean_cells.items()}
    for table, changes in faults.items():
        for row, column, text in changes:
            cells[table].loc[row, column] = text
    texts = {table: as_text(frame) for table, frame in cells.items()}
    texts[V] = b"sep=;\r\n" + texts[V].replace(b"\n", b"\r\n", 99) + b'"";' * 10 + b'""\n'
    texts[U] += texts[U].split(b"\n")[0] + b"\n"
    texts[L] = b"\xef\xbb\xbf" + texts[L]
    result = ingest([write(tmp_path_factory.mktemp("faults"), texts)], IngestionSettings(), today=TODAY)
    checks = {*result.report["check"]}
    assert len(checks) > 15
    for line in result.report.to_dict("records"):
        issue = DataIssue(
            line["file"], line["column"], line["check"], line["rows"], line["share"], Action(line["action"])
        )
        assert issue.action is not Action.STOPPED
        assert stop_above_limit(issue, DataQualityLimits()).action is issue.action
        strict = DataQualityLimits(bad_cells=1e-9, bad_keys=0, by_check={issue.check: 0})
        assert stop_above_limit(issue, strict).action is Action.STOPPED, issue
