"""Faults that stop the run, with a message that names file, column, row and remedy."""

import bz2
import lzma
import math
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from accidents.cleaning.column_swap import find_emptied_columns, find_swapped_columns
from accidents.columns import TABLES, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.ingestion import ingest
from accidents.reading.issues import Action, UnreadableFileError
from accidents.reading.typed_table import read_table
from tests.editions import Cells, Writing, as_text, synthetic_cells, write
from tests.ingestion.conftest import TODAY, Run

pytestmark = pytest.mark.slow
C, L, V, U = Table


def refused(run: Run, changed: dict[Table, bytes], *parts: str, **options: object) -> pd.DataFrame:
    """Run, expect to be refused with all parts in the message, and give the report."""
    with pytest.raises(DataError) as caught:
        run(changed, **options)
    for part in parts:
        assert part in str(caught.value), str(caught.value)
    report = caught.value.report
    assert report is not None
    assert "stopped" in set(report["action"])
    return report


@pytest.mark.parametrize("table", list(Table))
@pytest.mark.parametrize("quoted", [True, False])
def test_fields_separated_by_spaces(table: Table, quoted: bool, run: Run, clean_cells: Cells) -> None:
    text = as_text(clean_cells[table], Writing(separator=" ", quoted=quoted))
    refused(run, {table: text}, f"{table}.csv", "wrong separator", "official file")


def test_decimal_commas_between_commas(run: Run, clean_files: dict[Table, bytes]) -> None:
    text = clean_files[C].replace(b";", b",").replace(b'"', b"")
    refused(run, {C: text}, "caracteristiques.csv", "wrong separator", "official file")


def test_header_and_rows_with_different_separators(run: Run, clean_files: dict[Table, bytes]) -> None:
    header, rows = clean_files[V].split(b"\n", 1)
    refused(run, {V: header + b"\n" + rows.replace(b";", b",")}, "vehicules.csv", "wrong separator")


@pytest.mark.parametrize("table", list(Table))
def test_truncated_anywhere_in_the_last_line(table: Table, run: Run, clean_files: dict[Table, bytes]) -> None:
    text = clean_files[table].rstrip(b"\n")
    start = text.rindex(b"\n") + 1
    rows = text.count(b"\n") + 1
    for cut in range(start + 1, len(text), 7):
        refused(run, {table: text[:cut]}, f"{table}.csv", "truncated last line", f"row {rows}", "download it again")


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_truncated_between_two_lines(share: float, run: Run, clean_files: dict[Table, bytes]) -> None:
    for table, text in clean_files.items():
        lines = text.splitlines(keepends=True)
        refused(run, {table: b"".join(lines[: int(len(lines) * share)])})


FOUND_LATER = {("lat", "long"), ("id_usager", "id_vehicule")}  # by coordinates and by joins
NOT_TOLD_APART = {("secu3", "locp"), ("secu3", "actp"), ("secu3", "etatp")}  # docs/data.md names them


@pytest.mark.long
def test_contents_of_any_two_columns_swapped(tmp_path: Path) -> None:
    missed = set()
    for table, cells in synthetic_cells(3000).items():
        names = [str(name) for name in cells if name != "Num_Acc"]
        for one, other in combinations(names, 2):
            swapped = cells.copy()
            swapped[[one, other]] = cells[[other, one]].to_numpy()
            (tmp_path / "file.csv").write_bytes(as_text(swapped))
            file = read_table(str(tmp_path / "file.csv"), table, 2024)
            findings = [
                *file.issues,
                *find_swapped_columns(file, DataQualityLimits()),
                *find_emptied_columns(file, DataQualityLimits()),
            ]
            if not any(finding.action is Action.STOPPED for finding in findings):
                missed.add((one, other))
    assert missed == FOUND_LATER | NOT_TOLD_APART


@pytest.mark.parametrize(("table", "one", "other"), [(C, "int", "atm"), (L, "prof", "surf"), (U, "secu2", "secu3")])
def test_contents_of_two_code_columns_swapped(table: Table, one: str, other: str, run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[table].copy()
    cells[[one, other]] = cells[[other, one]].to_numpy()
    refused(run, {table: as_text(cells)}, f"{table}.csv, column {one}, {other}", "swapped", "Correct the header")


def test_any_missing_column(clean_cells: Cells, tmp_path: Path) -> None:
    for table, cells in clean_cells.items():
        for name in cells:
            (tmp_path / "file.csv").write_bytes(as_text(cells.drop(columns=name).head(3)))
            with pytest.raises(
                UnreadableFileError, match=rf"file\.csv, column {name}: .*missing column.*official file"
            ):
                read_table(str(tmp_path / "file.csv"), table, 2024)


@pytest.mark.parametrize(("table", "key"), [(C, "Num_Acc"), (V, "id_vehicule"), (U, "id_usager")])
def test_duplicate_keys(table: Table, key: str, run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[table]
    text = as_text(pd.concat([cells, cells.iloc[100:120]]))
    refused(run, {table: text}, f"{table}.csv, column {key}", "duplicate key", "first in row 102")


@pytest.mark.parametrize("table", [L, V, U])
def test_orphans(table: Table, run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[table].copy()
    cells.loc[50:79, "Num_Acc"] = [f"2024990000{number}" for number in range(10, 40)]
    refused(run, {table: as_text(cells)}, f"{table}.csv", "orphan", "first in row 52, 53, 54")


def test_people_in_vehicles_of_other_accidents(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[U].copy()
    cells.loc[:40, "id_vehicule"] = cells["id_vehicule"].iloc[-1]
    refused(run, {U: as_text(cells)}, "usagers.csv, column id_vehicule", "orphan", "first in row 2, 3, 4")


def test_two_years_mixed(run: Run, clean_cells: Cells, clean_files: dict[Table, bytes]) -> None:
    other = {table: _as_year(cells, "2023") for table, cells in clean_cells.items()}
    mixed = {table: as_text(pd.concat([clean_cells[table], other[table].iloc[:200]])) for table in Table}
    for year in (2024, None):
        refused(run, mixed, "caracteristiques.csv, column Num_Acc", "of another year than 2024", year=year)


def _as_year(cells: pd.DataFrame, year: str) -> pd.DataFrame:
    cells = cells.assign(Num_Acc=year + cells["Num_Acc"].str[4:])
    return cells.assign(an=year) if "an" in cells else cells


def test_a_year_that_is_not_in_the_files(run: Run) -> None:
    refused(run, {}, "of another year than 2023", "'202400000001'", year=2023)


def test_files_of_two_years(run: Run, clean_cells: Cells) -> None:
    refused(run, {V: as_text(_as_year(clean_cells[V], "2023"))}, "vehicules.csv", "of another year", year=None)


@pytest.mark.parametrize("missing", [" -1", "", "0", "."])
def test_all_labels_missing(missing: str, run: Run, clean_cells: Cells) -> None:
    refused(
        run, {U: as_text(clean_cells[U].assign(grav=missing))}, "usagers.csv, column grav", "all labels are missing"
    )


def test_a_code_outside_its_list_in_five_percent_of_rows(run: Run, clean_cells: Cells) -> None:
    for table, name in ((C, "lum"), (L, "surf"), (V, "catv"), (U, "grav"), (U, "actp")):
        cells = clean_cells[table].copy()
        rows = cells.sample(math.ceil(len(cells) / 20), random_state=0).index
        cells.loc[rows, name] = "77"
        first = f"first in row {min(rows) + 2}"
        refused(
            run,
            {table: as_text(cells)},
            f"{table}.csv, column {name}",
            "'77'",
            first,
            TABLES[table][name].describe_allowed_values(),
        )


@pytest.mark.parametrize("codec", ["latin-1", "cp1252"])
def test_text_decoded_with_the_wrong_encoding(codec: str, run: Run, clean_cells: Cells) -> None:
    for table, name in ((C, "adr"), (L, "voie")):
        cells = clean_cells[table].copy()
        cells.loc[::200, name] = "Allée des Érables à Besançon".encode().decode(codec, errors="replace")
        refused(run, {table: as_text(cells)}, f"{table}.csv, column {name}", "wrong encoding", "row 2, 202, 402")


def test_replaced_characters(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells.loc[::200, "adr"] = "All\ufffde"
    refused(run, {C: as_text(cells)}, "caracteristiques.csv, column adr", "wrong encoding")


@pytest.mark.parametrize(
    ("content", "check"),
    [
        (b"", "the file is empty"),
        (b"\n \r\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "HTML page"),
        (b"\n<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "HTML page"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"\x1f\x8brest", "gzip archive"),
        (bz2.compress(b"Num_Acc"), "bzip2 archive"),
        (lzma.compress(b"Num_Acc"), "xz archive"),
        (b"%PDF-1.4", "PDF"),
        ("Num_Acc;jour".encode("utf-16")[:-1], "UTF-16"),
        ("Num_Acc;jour".encode("utf-16-le"), "UTF-16"),
        ("Num_Acc;jour".encode("utf-32"), "UTF-32"),
        (b"a;b\n1;2\n", "key column Num_Acc"),
        (b"Num_Acc\n202400000001\n", "key column Num_Acc"),
    ],
)
def test_what_is_no_csv_file(content: bytes, check: str, run: Run) -> None:
    for table in Table:
        refused(run, {table: content}, f"{table}.csv", check)


def test_a_header_alone(run: Run, clean_files: dict[Table, bytes]) -> None:
    for table, text in clean_files.items():
        header = text.split(b"\n", 1)[0]
        refused(run, {table: header}, f"{table}.csv", "no rows")
        refused(run, {table: header + b"\n"}, f"{table}.csv", "no rows")


def test_a_missing_file(clean_files: dict[Table, bytes], tmp_path: Path) -> None:
    edition = write(tmp_path, {table: text for table, text in clean_files.items() if table is not U}, 2024)
    with pytest.raises(DataError, match="there is no file for usagers"):
        ingest([edition], IngestionSettings())


def test_a_file_that_does_not_exist(clean_files: dict[Table, bytes], tmp_path: Path) -> None:
    edition = write(tmp_path, clean_files, 2024)
    (tmp_path / "lieux.csv").unlink()
    with pytest.raises(DataError, match=r"lieux\.csv: cannot be opened"):
        ingest([edition], IngestionSettings())


def test_the_same_year_twice(clean_files: dict[Table, bytes], tmp_path: Path) -> None:
    edition = write(tmp_path, clean_files, 2024)
    with pytest.raises(DataError, match="a second edition of the year 2024"):
        ingest([edition, edition], IngestionSettings(), today=TODAY)


def test_a_date_in_the_future(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells.loc[4, "an"] = "2031"
    refused(run, {C: as_text(cells)}, "caracteristiques.csv", "date in the future", "2031-", "first in row 6")


def test_a_whole_year_in_the_future(run: Run, clean_cells: Cells) -> None:
    changed = {table: as_text(_as_year(cells, "2031")) for table, cells in clean_cells.items()}
    refused(run, changed, "date in the future", year=None)


def test_all_coordinates_swapped(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells[["lat", "long"]] = cells[["long", "lat"]].to_numpy()
    refused(run, {C: as_text(cells)}, "caracteristiques.csv, column lat, long", "coordinates swapped")


def test_keys_spoilt_by_a_spreadsheet(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].assign(Num_Acc="2,024E+11")
    refused(run, {C: as_text(cells)}, "caracteristiques.csv, column Num_Acc", "a spreadsheet rounded the ids")


def test_a_file_pasted_twice(run: Run, clean_cells: Cells) -> None:
    for table in (C, V, U):
        refused(run, {table: as_text(pd.concat([clean_cells[table]] * 2))}, f"{table}.csv", "duplicate")


@pytest.mark.parametrize(("table", "name", "value"), [(C, "lum", "1"), (V, "catv", "7"), (U, "sexe", "2")])
def test_a_column_overwritten_with_one_value(table: Table, name: str, value: str, run: Run, clean_cells: Cells) -> None:
    text = as_text(clean_cells[table].assign(**{name: value}))
    refused(run, {table: text}, f"{table}.csv, column {name}", "the same value in every row", "use the official file")


def test_a_file_in_the_place_of_another(run: Run, clean_files: dict[Table, bytes]) -> None:
    refused(run, {V: clean_files[U]}, "vehicules.csv", "missing column")


def test_many_ragged_rows(run: Run, clean_files: dict[Table, bytes]) -> None:
    lines = clean_files[V].split(b"\n")
    for place in range(10, 60):
        lines[place] += b';"1"'
    refused(run, {V: b"\n".join(lines)}, "vehicules.csv", "damaged rows", "first in row 11, 12, 13")


def test_line_breaks_in_many_addresses(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells.loc[100:120, "adr"] = "RUE\nBASSE"
    refused(run, {C: as_text(cells)}, "caracteristiques.csv", "quotes do not close", "first in row 102, 103, 104")


def test_a_zero_byte(run: Run, clean_files: dict[Table, bytes]) -> None:
    lines = clean_files[L].split(b"\n")
    lines[6] = b"\x00" * len(lines[6])
    refused(run, {L: b"\n".join(lines)}, "lieux.csv", "zero byte", "row 7")


def test_everything_is_reported_at_once(run: Run, clean_cells: Cells) -> None:
    report = refused(
        run,
        {C: b"", V: as_text(clean_cells[V].drop(columns="catv")), U: as_text(clean_cells[U].assign(sexe="7"))},
        "caracteristiques.csv: the file is empty",
        "vehicules.csv, column catv: missing column",
        "usagers.csv, column sexe: not allowed; allowed is 1 male, 2 female",
    )
    assert (report["action"] == "stopped").sum() == 3
