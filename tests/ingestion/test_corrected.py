"""Faults that are corrected: the accidents equal the clean ones, and the report says what was done."""

import pandas as pd
import pytest

from accidents.columns import TABLES, ColumnKind, Table
from accidents.ingestion import IngestionResult
from tests.editions import NEW, Cells, Writing, as_text
from tests.ingestion.conftest import Run

pytestmark = pytest.mark.slow


def assert_equal(result: IngestionResult, clean: IngestionResult) -> None:
    for name in ("accidents", "vehicles", "people"):
        pd.testing.assert_frame_equal(getattr(result.accidents, name), getattr(clean.accidents, name))


def assert_corrected(result: IngestionResult, check: str, file: str, action: str = "corrected") -> pd.Series:
    rows = result.report[result.report["check"].str.contains(check, regex=False) & (result.report["file"] == file)]
    assert (rows["action"] == action).any(), result.report.to_string()
    return rows.iloc[0]


@pytest.mark.parametrize("table", list(Table))
@pytest.mark.parametrize(
    ("writing", "check"),
    [
        (Writing(mark=b"\xef\xbb\xbf"), "byte order mark"),
        (Writing(line_end="\r\n"), "CRLF"),
    ],
)
def test_ways_of_writing(
    table: Table, writing: Writing, check: str, run: Run, clean: IngestionResult, clean_cells: Cells
) -> None:
    result = run({table: as_text(clean_cells[table], writing)})
    assert_equal(result, clean)
    assert_corrected(result, check, f"{table}.csv")


def test_latin1(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[Table.CARACTERISTIQUES].copy()
    cells.loc[::3, "adr"] = "Allée des Chênes, près de l'Hôtel"
    clean = run({Table.CARACTERISTIQUES: as_text(cells)})
    result = run({Table.CARACTERISTIQUES: as_text(cells, Writing(encoding="latin-1"))})
    assert_equal(result, clean)
    assert (result.accidents.accidents["adr"] == "Allée des Chênes, près de l'Hôtel").sum() == len(cells.iloc[::3])
    assert_corrected(result, "Latin-1", "caracteristiques.csv")


def test_no_break_spaces_in_every_cell(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    for table in Table:
        cells = clean_cells[table].map(lambda cell: f"\u00a0{cell}\u202f")
        result = run({table: as_text(cells)})
        assert_equal(result, clean)
        row = assert_corrected(result, "no-break spaces", f"{table}.csv")
        assert row["rows"] == len(cells)


def test_zero_padded_codes(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    for table in Table:
        cells = clean_cells[table].copy()
        codes = [name for name in map(str, cells) if TABLES[table][name].kind is ColumnKind.CODE]
        cells[codes] = cells[codes].map(lambda cell: cell.zfill(3) if cell.isdecimal() else cell)
        result = run({table: as_text(cells)})
        assert_equal(result, clean)
        assert assert_corrected(result, "zeros in front", f"{table}.csv")["rows"] > 0


def test_codes_with_decimals_and_departments_without_zeros(
    run: Run, clean: IngestionResult, clean_cells: Cells
) -> None:
    """As other programs save them: 3.0 for 3, 1 for 01, 1053 for 01053, points for commas."""
    main = clean_cells[Table.CARACTERISTIQUES].copy()
    main["lum"] += ".0"
    main["dep"] = main["dep"].str.lstrip("0")
    main["com"] = main["com"].str.lstrip("0")
    main["lat"] = main["lat"].str.replace(",", ".")
    assert_equal(run({Table.CARACTERISTIQUES: as_text(main)}), clean)


def test_another_order_of_columns(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    for table in Table:
        assert_equal(run({table: as_text(clean_cells[table].iloc[:, ::-1])}), clean)


def test_another_order_of_rows(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    changed = {table: as_text(cells.sample(frac=1, random_state=1)) for table, cells in clean_cells.items()}
    assert_equal(run(changed), clean)


def test_an_extra_column_is_ignored_and_reported(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    cells = clean_cells[Table.VEHICULES].assign(remarque="x;y")
    result = run({Table.VEHICULES: as_text(cells)})
    assert_equal(result, clean)
    assert_corrected(result, "column that vehicules does not have", "vehicules.csv", "ignored")


def test_a_label_in_the_input_of_predictions_is_ignored_and_reported(run: Run, clean_cells: Cells) -> None:
    result = run({}, labelled=False)
    without = run({Table.USAGERS: as_text(clean_cells[Table.USAGERS].drop(columns="grav"))}, labelled=False)
    assert_equal(result, without)
    assert (result.accidents.accidents["priority"] == -1).all()
    assert (result.accidents.people["grav"] == -1).all()
    assert_corrected(result, "the label is no input", "usagers.csv", "ignored")
    assert "grav" not in set(without.report["column"])


@pytest.mark.parametrize("fault", ["swapped", "sign of the longitude", "both signs"])
def test_a_few_wrong_coordinates(fault: str, run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    cells = clean_cells[Table.CARACTERISTIQUES].copy()
    far = cells["long"].str.replace(",", ".").astype(float).abs() > 2
    wrong = cells.index[far & (cells["lat"].str.strip() != "-1")][:7]
    if fault == "swapped":
        cells.loc[wrong, ["lat", "long"]] = cells.loc[wrong, ["long", "lat"]].to_numpy()
    else:
        names = ["long"] if fault == "sign of the longitude" else ["lat", "long"]
        cells.loc[wrong, names] = cells.loc[wrong, names].map(_opposite)
    result = run({Table.CARACTERISTIQUES: as_text(cells)})
    assert_equal(result, clean)
    row = assert_corrected(result, "coordinates swapped", "caracteristiques.csv")
    assert row["rows"] == 7
    assert row["first_rows"] == ", ".join(str(index + 2) for index in wrong[:3])


def _opposite(cell: str) -> str:
    return cell.strip().removeprefix("-") if "-" in cell else f" -{cell}"


def test_a_line_break_and_lone_quotes_inside_an_address(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[Table.CARACTERISTIQUES].copy()
    cells.loc[3, "adr"] = "RUE\nBASSE"
    text = as_text(cells, NEW).replace(b'"' + str(cells["adr"][20]).encode() + b'"', b'"LIEU "LA CROIX"', 1)
    result = run({Table.CARACTERISTIQUES: text})
    assert len(result.accidents.accidents) == len(cells)
    assert (result.accidents.accidents["adr"] == "RUE\nBASSE").sum() == 1
    assert (result.accidents.accidents["adr"] == 'LIEU "LA CROIX').sum() == 1
    assert_corrected(result, "line break inside a quoted field", "caracteristiques.csv")
    assert_corrected(result, "a lone quote", "caracteristiques.csv")
