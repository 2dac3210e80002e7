"""Files that spreadsheets and data frames saved: cells and lines that are unambiguous are read and counted."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.inference.chunks import split_edition
from accidents.ingestion import IngestionResult, ingest
from tests.editions import OLD, Cells, Writing, as_text, synthetic_cells, write

pytestmark = pytest.mark.slow
C, L, V, U = Table
TODAY = date(2025, 6, 1)
UNQUOTED = Writing(quoted=False)

Files = dict[Table, bytes]
Read = Callable[[Files], IngestionResult]


@pytest.fixture(scope="module")
def new() -> Cells:
    return synthetic_cells(300)


@pytest.fixture(scope="module")
def old() -> Cells:
    return synthetic_cells(300, 2016)


@pytest.fixture
def read(new: Cells, tmp_path_factory: pytest.TempPathFactory) -> Read:
    def ingest_new(changed: Files) -> IngestionResult:
        files = {table: as_text(cells) for table, cells in new.items()} | changed
        return ingest([write(tmp_path_factory.mktemp("new"), files)], IngestionSettings(), today=TODAY)

    return ingest_new


@pytest.fixture
def read_old(old: Cells, tmp_path_factory: pytest.TempPathFactory) -> Read:
    def ingest_old(changed: Files) -> IngestionResult:
        files = {table: as_text(cells, OLD) for table, cells in old.items()} | changed
        return ingest([write(tmp_path_factory.mktemp("old"), files)], IngestionSettings(), today=TODAY)

    return ingest_old


def assert_same(result: IngestionResult, clean: IngestionResult) -> None:
    for name in ("accidents", "vehicles", "people"):
        pd.testing.assert_frame_equal(getattr(result.accidents, name), getattr(clean.accidents, name))


def corrected(result: IngestionResult) -> dict[tuple[str, str], int]:
    """Rows of the corrected issues by column (of files: by name) and check."""
    report = result.report[result.report["action"] == "corrected"]
    return {(line["column"] or line["file"], line["check"]): line["rows"] for line in report.to_dict("records")}


def lines_of_spreadsheets(new: Cells) -> Files:
    header, *roads = as_text(new[L], UNQUOTED).rstrip(b"\n").split(b"\n")
    _, *people = as_text(new[U]).rstrip(b"\n").split(b"\n")
    names = as_text(new[U]).split(b"\n")[0]
    addresses = as_text(new[C].assign(adr='Rue "du" Lac'))
    return {
        C: addresses.replace(b'""', b'"').decode().encode("utf-16"),
        L: b"\n".join([b"sep=;", header, *(road + b";;" for road in roads[:9]), *roads[9:]]),
        V: as_text(new[V], UNQUOTED) + b";" * (len(new[V].columns) - 1) + b"\n  \n\n",
        U: b"\n".join([names, *people[:100], names, *people[100:], b""]),
    }


def test_lines_of_spreadsheets(new: Cells, read: Read) -> None:
    result = read(lines_of_spreadsheets(new))
    assert set(result.accidents.accidents["adr"]) == {'Rue "du" Lac'}
    clean = read({C: as_text(new[C].assign(adr='Rue "du" Lac'))})
    assert_same(result, clean)
    expected = {
        ("caracteristiques.csv", "text in UTF-16"): 1,
        ("caracteristiques.csv", "a lone quote, read as a character"): 300,
        ("lieux.csv", "line that names the separator to spreadsheets"): 1,
        ("lieux.csv", "empty fields at the end of rows"): 9,
        ("vehicules.csv", "row without any value"): 1,
        ("usagers.csv", "header in the middle of the file"): 1,
    }
    assert expected.items() <= corrected(result).items()


def test_lines_of_spreadsheets_in_chunks(new: Cells, read: Read, tmp_path: Path) -> None:
    files = lines_of_spreadsheets(new)
    whole = read(files).accidents.accidents.drop(columns="priority")
    edition = write(tmp_path / "edition", files)
    (tmp_path / "chunks").mkdir()
    parts = [
        ingest([chunk.edition], IngestionSettings(), labelled=False, today=TODAY).accidents.accidents
        for chunk in split_edition(edition, 100, tmp_path / "chunks")
    ]
    assert len(parts) == 3
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True).drop(columns="priority"), whole)


def test_cells_of_spreadsheets(new: Cells, read: Read) -> None:
    main, roads, vehicles, people = (new[table] for table in Table)
    changed = {
        C: main.assign(
            dep="'" + main["dep"],
            com='="' + main["com"] + '"',
            hrmn=main["hrmn"].str.replace(":", "h"),
            lat=main["lat"].str.replace(",", "."),
            long=main["long"].str.replace("-", "\u2212"),
        ),
        L: roads.assign(nbv=roads["nbv"] + ".0", larrout=roads["larrout"].replace({"-1": "-1,00"})),
        V: vehicles.assign(
            id_vehicule=vehicles["id_vehicule"].str.replace("\u00a0", "."), num_veh=vehicles["num_veh"].str.lower()
        ),
        U: people.assign(Num_Acc=people["Num_Acc"].map(lambda number: f"{int(number):,}".replace(",", "\u202f"))),
    }
    result = read({table: as_text(cells) for table, cells in changed.items()})
    assert_same(result, read({}))
    counted = corrected(result)
    for column, check in (
        ("dep", "text mark of a spreadsheet"),
        ("com", "text mark of a spreadsheet"),
        ("hrmn", "time of day written otherwise"),
        ("lat", "decimal point in place of a comma"),
        ("id_vehicule", "points, commas or apostrophes between thousands"),
        ("num_veh", "small letters in a code"),
        ("Num_Acc", "no-break spaces"),
    ):
        assert counted[column, check] >= 300, (column, check)
    assert counted["long", "typographic minus sign"] == main["long"].str.contains("-").sum()


def test_coordinates_with_exponents(new: Cells, read: Read) -> None:
    cells = new[C].assign(lat=new[C]["lat"].map(lambda text: f"{float(text.replace(',', '.')):.9e}"))
    result = read({C: as_text(cells)})
    assert_same(result, read({}))
    assert corrected(result)["lat", "number written with an exponent"] == 300


def test_departments_of_two_digits(old: Cells, read_old: Read) -> None:
    cut = old[C]["dep"].map(lambda text: text[:-1] if text.endswith("0") else text)
    assert (cut.str.endswith("0") & (cut.str.len() == 2)).any()  # 80 is not 08
    result = read_old({C: as_text(old[C].assign(dep=cut), OLD)})
    assert_same(result, read_old({}))
    assert corrected(result)["dep", "code of fewer than three digits"] > 200


def test_departments_of_two_digits_in_chunks(old: Cells, read_old: Read, tmp_path: Path) -> None:
    """Every chunk has one department, and most do not show that they are not times ten."""
    files = {table: as_text(cells, OLD) for table, cells in old.items()}
    cut = old[C].assign(dep=["80", "59", "60", *["80"] * (len(old[C]) - 3)])
    edition = write(tmp_path / "edition", files | {C: as_text(cut, OLD)})
    (tmp_path / "chunks").mkdir()
    (chunk, *_) = reversed(split_edition(edition, 10, tmp_path / "chunks"))
    read = ingest([chunk.edition], IngestionSettings(), labelled=False, today=TODAY).accidents.accidents
    assert set(read["dep"]) == {"80"}


def test_coordinates_in_degrees(old: Cells, read_old: Read) -> None:
    def degrees(cells: pd.Series) -> pd.Series:
        return cells.map(lambda text: text and f"{int(text) / 1e5:.5f}")

    result = read_old({C: as_text(old[C].assign(lat=degrees(old[C]["lat"]), long=degrees(old[C]["long"])), OLD)})
    assert_same(result, read_old({}))
    assert corrected(result)["lat", "degrees in place of 1e-5 degrees"] > 0


def test_hours_alone_in_an_old_edition_are_refused(old: Cells, read_old: Read) -> None:
    hours = old[C]["hrmn"].str.zfill(4).str[:2].astype(int).astype(str)
    with pytest.raises(DataError, match=r"column hrmn: not allowed.*17:00 or 00:17"):
        read_old({C: as_text(old[C].assign(hrmn=hours), OLD)})


@pytest.mark.parametrize(
    ("table", "column", "written", "cause"),
    [
        (L, "catr", "janv-24", "a spreadsheet turned numbers into dates"),
        (C, "jour", "01/02/2024", "a spreadsheet turned numbers into dates"),
        (L, "surf", "#REF!", "a spreadsheet wrote an error value"),
        (C, "hrmn", "0,71875", "a spreadsheet turned times into parts of a day"),
        (C, "hrmn", "17", "a number such as 17 may be 17:00 or 00:17"),
        (U, "an_nais", "37", "it is an age, or a year without its century"),
        (C, "lum", "1e0", "a code or whole number has no exponent"),
        (U, "Num_Acc", "2.02400000001E+11", "ids in scientific notation"),
        (V, "Num_Acc", "202400000000", "a spreadsheet rounded the ids"),
        (C, "Num_Acc", "202400000000", "a spreadsheet rounded the ids"),
        (U, "id_vehicule", "1,02E+07", "a spreadsheet rounded the ids"),
        (L, "vma", "50%", "not allowed"),
        (U, "an_nais", "1,987", "not allowed"),
    ],
)
def test_other_cells_are_refused_in_one_sentence(
    table: Table, column: str, written: str, cause: str, new: Cells, read: Read
) -> None:
    with pytest.raises(DataError) as caught:
        read({table: as_text(new[table].assign(**{column: written}))})
    (line,) = str(caught.value).split("\n")[1:]
    assert line.startswith(f"- {table}.csv, column {column}: ")
    assert cause in line
    assert f"'{written}'" in line
    assert "row 2" in line
