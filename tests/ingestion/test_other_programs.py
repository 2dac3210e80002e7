"""Files as other programs save them: what is unambiguous is read and counted, the rest is refused for its reason."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.ingestion import IngestionResult, ingest
from accidents.sources.folder import folder_editions
from tests.editions import OLD, Cells, Writing, as_text, synthetic_cells, write
from tests.ingestion.conftest import TODAY, Run

pytestmark = [pytest.mark.slow, pytest.mark.traced]

C, L, V, U = Table


def assert_same(result: IngestionResult, clean: IngestionResult) -> None:
    for name in ("accidents", "vehicles", "people"):
        pd.testing.assert_frame_equal(getattr(result.accidents, name), getattr(clean.accidents, name))


def rows_of(result: IngestionResult, check: str) -> dict[str, int]:
    """Rows of the corrected issues with this text, by column."""
    report = result.report[result.report["check"].str.contains(check, regex=False)]
    assert set(report["action"]) <= {"corrected"}
    return dict(zip(report["column"], report["rows"], strict=True))


@pytest.mark.parametrize("separator", [",", "|", "\t"])
@pytest.mark.parametrize("quoted", [True, False])
def test_another_separator(separator: str, quoted: bool, run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    writing = Writing(separator=separator, quoted=quoted)
    result = run({table: as_text(cells, writing) for table, cells in clean_cells.items()})
    assert_same(result, clean)
    assert (result.report["check"].str.contains("fields are separated by a")).sum() == len(Table)


def test_only_header_and_texts_in_quotes(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    header, rows = as_text(clean_cells[V]).split(b"\n", 1)
    assert_same(run({V: header + b"\n" + rows.replace(b'"', b"")}), clean)


@pytest.mark.parametrize("header", ['"";', ""])
def test_row_numbers_before_the_first_column(
    header: str, run: Run, clean: IngestionResult, clean_files: dict[Table, bytes]
) -> None:
    first, *rows = clean_files[U].decode().rstrip("\n").split("\n")
    lines = [header + first, *(f'"{number}";{row}' for number, row in enumerate(rows))]
    assert_same(run({U: "\n".join(lines).encode()}), clean)


def test_words_for_missing_in_columns_of_codes(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    cells = clean_cells[U]
    missing = cells["trajet"].str.strip() == "-1"
    result = run({U: as_text(cells.assign(trajet=cells["trajet"].mask(missing, "NA")))})
    assert_same(result, clean)
    assert rows_of(result, "word for a missing value") == {"trajet": missing.sum()}


def test_spaces_of_ids_read_as_latin1(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    def misread(cells: pd.DataFrame) -> bytes:
        ids = [name for name in ("id_vehicule", "id_usager") if name in cells]
        return as_text(cells.assign(**{name: cells[name].str.replace("\u00a0", "Â\u00a0") for name in ids}))

    assert clean_cells[V]["id_vehicule"].str.contains("\u00a0").all()
    result = run({V: misread(clean_cells[V]), U: misread(clean_cells[U])})
    assert_same(result, clean)
    assert rows_of(result, "read as Latin-1 and saved again")["id_usager"] == len(clean_cells[U])


def test_ids_rounded_by_a_spreadsheet(run: Run, clean_cells: Cells) -> None:
    with pytest.raises(DataError, match=r"lieux\.csv, column Num_Acc: a spreadsheet rounded the ids") as caught:
        run({L: as_text(clean_cells[L].assign(Num_Acc="2.024E+11"))})
    assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize(("written", "minutes"), [("17", -1), ("0", 0), ("45", 45), ("1715", 1035), ("17:15:00", 1035)])
def test_hours_that_may_be_minutes_are_not_read(written: str, minutes: int, run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells.loc[0, "hrmn"] = written
    result = run({C: as_text(cells)})
    assert result.accidents.accidents["hrmn"].iloc[0] == minutes
    checks = result.report[result.report["column"] == "hrmn"]["check"].tolist()
    assert any("17:00 or 00:17" in check for check in checks) is (minutes == -1)


@pytest.fixture(scope="module")
def old_cells() -> Cells:
    return synthetic_cells(300, 2016)


@pytest.fixture
def run_old(old_cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., IngestionResult]:
    def ingest_old(changed: dict[Table, bytes], limits: DataQualityLimits | None = None) -> IngestionResult:
        files = {table: as_text(cells, OLD) for table, cells in old_cells.items()} | changed
        settings = IngestionSettings(limits=limits or DataQualityLimits())
        return ingest([write(tmp_path_factory.mktemp("old"), files)], settings, today=TODAY)

    return ingest_old


def test_numbers_with_decimals_in_an_old_edition(run_old: Callable[..., IngestionResult], old_cells: Cells) -> None:
    def decimals(cells: pd.DataFrame, *names: str) -> bytes:
        return as_text(
            cells.assign(**{name: cells[name].map(lambda cell: cell and f"{cell}.0") for name in names}), OLD
        )

    changed = {
        C: decimals(old_cells[C], "com", "dep", "hrmn"),
        V: decimals(old_cells[V], "Num_Acc", "catv"),
        U: decimals(old_cells[U], "secu", "an_nais"),
    }
    result = run_old(changed)
    assert_same(result, run_old({}))
    assert {"com", "dep"} <= rows_of(result, "code written with decimals").keys()


def test_words_in_every_column_of_an_old_edition(run_old: Callable[..., IngestionResult], old_cells: Cells) -> None:
    assert_same(
        run_old({table: as_text(cells.replace("", "NA"), OLD) for table, cells in old_cells.items()}), run_old({})
    )


def test_a_pedestrian_on_rollers_is_a_pedestrian(run_old: Callable[..., IngestionResult], old_cells: Cells) -> None:
    cells = old_cells[U].copy()
    pedestrians = cells.index[cells["catu"] == "3"]
    cells.loc[pedestrians[::3], "catu"] = "4"
    result = run_old({U: as_text(cells, OLD)})
    assert_same(result, run_old({}))
    assert rows_of(result, "code of former editions") == {"catu": len(pedestrians[::3])}


def test_a_retired_code_in_a_later_edition(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[U].copy()
    cells.loc[0, "catu"] = "4"
    assert run({U: as_text(cells)}).report.set_index("column").loc["catu", "action"] == "set to missing"


@pytest.mark.parametrize("encoding", ["latin-1", "cp850", "utf-8"])
def test_each_row_has_its_own_encoding(
    encoding: str, run_old: Callable[..., IngestionResult], old_cells: Cells
) -> None:
    cells = old_cells[C].assign(adr="Allée Éluard")
    lines = as_text(cells, OLD).split(b"\r\n")
    lines[3] = lines[3].decode("latin-1").encode(encoding)
    result = run_old({C: b"\r\n".join(lines)})
    assert set(result.accidents.accidents["adr"]) == {"Allée Éluard"}
    expected = {"latin-1": 0, "cp850": 1, "utf-8": 1}
    assert result.report["check"].str.startswith("text in").sum() == expected[encoding]


def test_limits_of_corrected_and_ignored_issues(run_old: Callable[..., IngestionResult], old_cells: Cells) -> None:
    decimals = {C: as_text(old_cells[C].assign(com=old_cells[C]["com"] + ".0"), OLD)}
    with pytest.raises(DataError, match="column com: code written with decimals"):
        run_old(decimals, DataQualityLimits(corrected=0.5))
    with pytest.raises(DataError, match="column com: code written with decimals"):
        run_old(decimals, DataQualityLimits(by_check={"code written": 0.5}))
    marked = {C: as_text(old_cells[C], replace(OLD, mark=b"\xef\xbb\xbf"))}
    run_old(marked)
    with pytest.raises(DataError, match="byte order mark before the header"):
        run_old(marked, DataQualityLimits(by_check={"byte order mark": 0}))
    unknown = as_text(old_cells[C].assign(adr="@"), OLD).replace(b"@", b"\xdd")
    with pytest.raises(DataError, match="text in an unknown encoding"):
        run_old({C: unknown})
    run_old({C: unknown}, DataQualityLimits(by_check={"text in an unknown encoding": 1}))


@pytest.mark.real
def test_the_real_year_2017(real_baac: Path) -> None:
    result = ingest(folder_editions(str(real_baac), [2017]), IngestionSettings(), today=TODAY)
    assert len(result.accidents.accidents) == 60_701
    assert rows_of(result, "code of former editions") == {"catu": 293}
    assert rows_of(result, "text in code page 850")[""] > 200
