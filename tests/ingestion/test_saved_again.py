"""Files saved again by another program: corrected and counted, or rejected, and never silently wrong."""

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.expectations.validation import validate_tables
from accidents.ingestion import IngestionResult
from tests.editions import Cells, as_text
from tests.ingestion.conftest import Run
from tests.ingestion.test_account import assert_adds_up

pytestmark = pytest.mark.slow
C, L, V, U = Table


def test_a_header_in_the_middle_is_left_out_and_makes_no_year(
    run: Run, clean: IngestionResult, clean_files: dict[Table, bytes]
) -> None:
    lines = clean_files[V].split(b"\n")
    lines.insert(500, lines[0])
    result = run({V: b"\n".join(lines)})
    assert_adds_up(result)
    assert result.quarantine.empty
    line = result.report[result.report["check"] == "header in the middle of the file"].iloc[0]
    assert (line["rows"], line["first_rows"], line["action"]) == (1, "501", "corrected")
    pd.testing.assert_frame_equal(result.accidents.vehicles, clean.accidents.vehicles)
    checked = validate_tables(result.tables, IngestionSettings().effective_expectations)
    assert set(checked.results["year"]) == {2024}
    assert checked.blocking_failures == ()


@pytest.mark.parametrize("word", ["NULL", "NaN", "None", "NA", "#N/A"])
def test_words_for_missing_are_no_addresses(word: str, run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells.loc[:20, ["adr", "atm"]] = word
    result = run({C: as_text(cells)})
    changed = result.accidents.accidents.iloc[:21]
    assert changed["adr"].isna().all()
    assert (changed["atm"] == -1).all()
    assert result.report.set_index("column").loc["atm", "rows"] == 21


def test_spaces_between_digits_are_corrected_and_counted(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    cells = clean_cells[U].copy()
    years = cells["an_nais"].where(cells["an_nais"].str.fullmatch(r"\d{4}")).dropna().index[:30]
    cells.loc[years, "an_nais"] = cells.loc[years, "an_nais"].str.replace(r"^(\d)", r"\1 ", regex=True)
    result = run({U: as_text(cells)})
    pd.testing.assert_frame_equal(result.accidents.people, clean.accidents.people)
    line = result.report[result.report["check"] == "spaces between the digits of a number"].iloc[0]
    assert (line["column"], line["rows"], line["action"]) == ("an_nais", 30, "corrected")


def test_injuries_shifted_by_one_row_are_not_plausible(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[U].assign(grav=clean_cells[U]["grav"].shift(1, fill_value="1"))
    (failure,) = validate_tables(
        run({U: as_text(cells)}).tables, IngestionSettings().effective_expectations
    ).blocking_failures
    assert "accidents with nobody hurt" in failure
    assert failure.endswith("expected 0 % to 1 %")


def test_coordinates_shifted_by_one_row_stop(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells[["lat", "long"]] = cells[["lat", "long"]].shift(1, fill_value="48,8")
    with pytest.raises(DataError, match="coordinates far from the department"):
        run({C: as_text(cells)})


def test_marks_at_the_beginning_of_rows_are_taken_away_and_counted(
    run: Run, clean: IngestionResult, clean_files: dict[Table, bytes]
) -> None:
    lines = clean_files[U].split(b"\n")
    lines[300] = b"\xef\xbb\xbf" + lines[300]
    result = run({U: b"\n".join(lines)})
    pd.testing.assert_frame_equal(result.accidents.people, clean.accidents.people)
    line = result.report[result.report["check"] == "byte order mark at the beginning of a row"].iloc[0]
    assert (line["rows"], line["action"]) == (1, "corrected")


def test_a_separator_at_the_end_of_every_row(run: Run, clean: IngestionResult, clean_files: dict[Table, bytes]) -> None:
    result = run({V: clean_files[V].replace(b"\n", b";\n")})
    pd.testing.assert_frame_equal(result.accidents.vehicles, clean.accidents.vehicles)
    with pytest.raises(DataError, match="truncated last line"):
        run({V: clean_files[V].replace(b"\n", b";\n")[:-4]})


def test_people_left_out_and_a_clock_of_twelve_hours_stop(run: Run, clean_cells: Cells) -> None:
    people, main = clean_cells[U], clean_cells[C].copy()
    hours = main["hrmn"].str[:2].astype(int) % 12
    main["hrmn"] = hours.astype(str).str.zfill(2) + main["hrmn"].str[2:]
    result = run({U: as_text(people[people["catu"].str.strip() != "2"]), C: as_text(main)})
    checked = validate_tables(result.tables, IngestionSettings().effective_expectations)
    warned = [finding.check for finding in checked.issues() if "Composition" in finding.check]
    assert [text.split(": ")[1] for text in warned] == ["accidents from 13:00 on", "people who are passengers"]
    nobody, clock = checked.blocking_failures  # passengers were the only people hurt in some accidents
    assert "accidents with nobody hurt" in nobody
    assert "accidents from 13:00 on: 0 %" in clock


def test_whole_numbers_written_otherwise_are_corrected_and_counted(
    run: Run, clean: IngestionResult, clean_cells: Cells
) -> None:
    roads, people, main = clean_cells[L].copy(), clean_cells[U].copy(), clean_cells[C].copy()
    roads["vma"] = roads["vma"].replace({"50": "50."})
    roads["catr"] = "+" + roads["catr"]
    roads = roads.map(lambda cell: "-1.0" if cell.strip() == "-1" else cell)
    people["an_nais"] = people["an_nais"].where(~people["an_nais"].str.fullmatch(r"\d{4}"), people["an_nais"] + ".0")
    main["an"] = main["an"].str[2:]
    result = run({C: as_text(main), L: as_text(roads), U: as_text(people)})
    for name in ("accidents", "vehicles", "people"):
        pd.testing.assert_frame_equal(getattr(result.accidents, name), getattr(clean.accidents, name))
    corrected = result.report[result.report["action"] == "corrected"].set_index(["column", "check"])["rows"]
    check = "whole number written with a sign or decimals"
    assert corrected["vma", check] == (roads["vma"].isin(["50.", "-1.0"])).sum()
    assert corrected["catr", check] == len(roads)
    assert corrected["an_nais", check] == people["an_nais"].str.endswith(".0").sum()
    assert corrected["an", "year of two digits"] == len(main)


def test_carriage_returns_alone_and_spaces_at_the_end_of_lines(
    run: Run, clean: IngestionResult, clean_files: dict[Table, bytes]
) -> None:
    result = run({V: clean_files[V].replace(b"\n", b"\r"), U: clean_files[U].replace(b"\n", b"  \n")})
    pd.testing.assert_frame_equal(result.accidents.vehicles, clean.accidents.vehicles)
    pd.testing.assert_frame_equal(result.accidents.people, clean.accidents.people)
    line = result.report[result.report["check"] == "carriage returns without a line feed"].iloc[0]
    assert (line["file"], line["rows"]) == ("vehicules.csv", clean_files[V].count(b"\n"))


def test_an_address_of_megabytes(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells.loc[3, "adr"] = "A" * 3_000_000
    result = run({C: as_text(cells)})
    assert len(result.accidents.accidents) == len(clean.accidents.accidents)
    assert (result.accidents.accidents["adr"].str.len() == 3_000_000).sum() == 1


def test_people_born_after_their_accident_are_counted(run: Run, clean_cells: Cells) -> None:
    cells = clean_cells[U].copy()
    cells.loc[:4, "an_nais"] = ["2024", "2025", "2026", "2031", "2098"]
    result = run({U: as_text(cells)})
    line = result.report[result.report["column"] == "an_nais"].iloc[0]
    assert (line["rows"], line["first_rows"], line["action"]) == (4, "3, 4, 5", "set to missing")
    assert result.accidents.people["an_nais"].max() <= 2024
    cells.loc[: len(cells) // 3, "an_nais"] = "2031"
    with pytest.raises(DataError, match="column an_nais: born after 2024"):
        run({U: as_text(cells)})
