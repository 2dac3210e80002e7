"""Scoring of BAAC folders: the chunk size changes no prediction."""

from pathlib import Path

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.columns import Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.errors import DataError
from accidents.inference.batch import RejectedRow, ScoredBatch
from accidents.inference.editions import score_editions
from accidents.models import model_types
from accidents.sources.edition import Edition
from accidents.sources.folder import folder_editions
from tests.editions import OLD, Cells, as_text, synthetic_cells, write
from tests.inference.conftest import Whole, in_one_piece, quiet
from tests.trained import small_models

pytestmark = pytest.mark.slow


def scored(editions: list[Edition], bundle: Bundle, chunk: int, messages: list[str] | None = None) -> list[ScoredBatch]:
    progress = quiet if messages is None else messages.append
    return list(
        score_editions(editions, bundle, chunk_size=chunk, limits=DataQualityLimits(), threads=1, progress=progress)
    )


def joined(batches: list[ScoredBatch]) -> Whole:
    return Whole(
        np.concatenate([batch.ids for batch in batches]), np.concatenate([batch.probabilities for batch in batches])
    )


def rejected(batches: list[ScoredBatch]) -> list[RejectedRow]:
    return [row for batch in batches for row in batch.rejected]


def assert_same(result: Whole, expected: Whole) -> None:
    np.testing.assert_array_equal(result.ids, expected.ids)
    np.testing.assert_array_equal(result.probabilities, expected.probabilities)


@pytest.mark.parametrize("chunk", [1200, 1199, pytest.param(111, marks=pytest.mark.slow)])
def test_scores_are_those_of_one_piece(chunk: int, year: Edition, whole: Whole, bundle: Bundle) -> None:
    batches = scored([year], bundle, chunk)
    assert len(batches) == -(-1200 // chunk)
    assert_same(joined(batches), whole)


@pytest.mark.parametrize("model_type", model_types())
def test_the_chunk_size_changes_no_score_of_any_model(model_type: str, year: Edition) -> None:
    bundle = small_models()[model_type].trained.bundle
    assert_same(joined(scored([year], bundle, 97)), in_one_piece(year, bundle))


def test_rows_in_any_order_give_the_same(cells: Cells, whole: Whole, bundle: Bundle, tmp_path: Path) -> None:
    mixed = {table: as_text(frame.sample(frac=1, random_state=5)) for table, frame in cells.items()}
    assert_same(joined(scored([write(tmp_path, mixed, 2024)], bundle, 400)), whole)


def test_old_editions_are_scored(bundle: Bundle, tmp_path: Path) -> None:
    old = {table: as_text(frame, OLD) for table, frame in synthetic_cells(600, year=2012).items()}
    edition = write(tmp_path, old, 2012)
    assert_same(joined(scored([edition], bundle, 250)), in_one_piece(edition, bundle))


def test_years_follow_each_other(year: Edition, bundle: Bundle, tmp_path: Path) -> None:
    files = {table: as_text(frame) for table, frame in synthetic_cells(300, year=2021).items()}
    earlier = write(tmp_path, files, 2021)
    ids = joined(scored([earlier, year], bundle, 1000)).ids
    assert len(ids) == 1500
    assert (np.diff(ids) > 0).all()
    with pytest.raises(DataError, match="each year once"):
        scored([year, year], bundle, 1000)
    single = {table: as_text(frame) for table, frame in synthetic_cells(1, year=2021).items()}
    one = write(tmp_path / "one", single, 2021)
    assert len(joined(scored([one, year], bundle, 1000)).ids) == 1201
    with pytest.raises(DataError, match="each year once"):
        scored([one, one], bundle, 1000)


def test_the_year_is_read_from_the_ids(year: Edition, whole: Whole, bundle: Bundle) -> None:
    assert_same(joined(scored([Edition(None, year.files)], bundle, 700)), whole)


def test_injuries_are_ignored_with_a_message(
    cells: Cells, whole: Whole, bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    without = as_text(cells[Table.USAGERS].drop(columns="grav"))
    wrong = as_text(cells[Table.USAGERS].assign(grav="7"))
    for number, content in enumerate((without, wrong)):
        messages: list[str] = []
        edition = write(tmp_path / str(number), year_files | {Table.USAGERS: content}, 2024)
        assert_same(joined(scored([edition], bundle, 700, messages)), whole)
    assert any("grav" in line and "ignored" in line for line in messages)
    assert "1,200 of 1,200" in " ".join(messages)


@pytest.mark.parametrize("chunk", [1200, 300])
def test_rejected_rows_are_listed_with_the_row_of_the_file(
    chunk: int, cells: Cells, whole: Whole, bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    people = cells[Table.USAGERS].copy()
    position = len(people) - 5
    accident = int(people["Num_Acc"].iloc[position])
    people.loc[people.index[position], "id_vehicule"] = "1"
    edition = write(tmp_path, year_files | {Table.USAGERS: as_text(people)}, 2024)
    batches = scored([edition], bundle, chunk)
    listed = rejected(batches)
    assert {row.accident_id for row in listed} == {accident}
    orphan = next(row for row in listed if row.file == "usagers.csv" and "vehicule" in row.reason)
    assert orphan.row == position + 2
    others = whole.ids != accident
    assert_same(joined(batches), Whole(whole.ids[others], whole.probabilities[others]))


@pytest.mark.parametrize("chunk", [1200, pytest.param(300, marks=pytest.mark.slow)])
def test_shares_of_faults_are_those_of_the_whole(
    chunk: int, cells: Cells, bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    def with_bad_light(rows: int) -> Edition:
        main = cells[Table.CARACTERISTIQUES].copy()
        main.loc[main.index[:rows], "lum"] = "77"
        files = year_files | {Table.CARACTERISTIQUES: as_text(main)}
        return write(tmp_path / str(rows), files, 2024)

    messages: list[str] = []
    batches = scored([with_bad_light(40)], bundle, chunk, messages)
    assert len(joined(batches).ids) == 1200
    assert any("lum" in line and "40 rows" in line and "missing" in line for line in messages)
    with pytest.raises(DataError, match=r"caracteristiques.csv, column lum.*120 rows.*77"):
        scored([with_bad_light(120)], bundle, chunk)


def test_too_many_quarantined_rows_stop(
    cells: Cells, bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    people = cells[Table.USAGERS].copy()
    people.loc[people.index[::100], "id_vehicule"] = "1"
    edition = write(tmp_path, year_files | {Table.USAGERS: as_text(people)}, 2024)
    with pytest.raises(DataError, match=r"usagers.csv, column id_vehicule.*orphan"):
        scored([edition], bundle, 400)


def test_a_fault_of_an_edition_in_one_chunk_counts_rows_as_the_file_does(
    bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    edition = write(tmp_path, year_files | {Table.LIEUX: year_files[Table.LIEUX][:-4]}, 2024)
    with pytest.raises(DataError, match=f"row {len(year_files[Table.LIEUX].splitlines())}") as caught:
        scored([edition], bundle, 1200)
    assert "Rows are counted" not in str(caught.value)


@pytest.mark.real
def test_real_accidents_are_scored_as_in_one_piece(real_baac: Path, bundle: Bundle) -> None:
    edition = folder_editions(str(real_baac / "2024"), None)[0]
    assert_same(joined(scored([edition], bundle, 9000)), in_one_piece(edition, bundle))


def test_a_fault_that_no_share_excuses_stops_and_the_message_has_the_first_accident(
    cells: Cells, bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    lines = year_files[Table.LIEUX].rstrip(b"\n")
    edition = write(tmp_path, year_files | {Table.LIEUX: lines[:-4]}, 2024)
    with pytest.raises(DataError, match="truncated") as caught:
        scored([edition], bundle, 500)
    assert "Rows are counted from the accident 2024" in str(caught.value)


def test_an_edition_without_an_accident_id_is_refused(
    cells: Cells, bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    nameless = as_text(cells[Table.CARACTERISTIQUES].assign(Num_Acc="x"))
    with pytest.raises(DataError, match="12 digits"):
        scored([write(tmp_path, year_files | {Table.CARACTERISTIQUES: nameless}, 2024)], bundle, 500)


def test_encodings_and_ids_with_decimals_are_read_alike_in_every_chunk(bundle: Bundle, tmp_path: Path) -> None:
    cells = synthetic_cells(300, 2016)
    main = cells[Table.CARACTERISTIQUES].assign(adr="Allée Éluard")
    lines = as_text(main, OLD).split(b"\r\n")
    for row in range(1, 120):
        lines[row] = lines[row].decode("latin-1").encode("cp850")
    files = {table: as_text(frame.assign(Num_Acc=frame["Num_Acc"] + ".0"), OLD) for table, frame in cells.items()}
    edition = write(tmp_path, files | {Table.CARACTERISTIQUES: b"\r\n".join(lines)}, 2016)
    messages: list[str] = []
    batches = scored([edition], bundle, 100, messages)
    assert len(batches) == 3
    assert_same(joined(batches), in_one_piece(edition, bundle))
    assert any("text in code page 850 (119 rows" in message for message in messages)


def test_ids_rounded_by_a_spreadsheet_are_refused_for_it(cells: Cells, bundle: Bundle, tmp_path: Path) -> None:
    rounded = {table: as_text(frame.assign(Num_Acc="2,024E+11")) for table, frame in cells.items()}
    with pytest.raises(DataError, match="a spreadsheet rounded the ids"):
        scored([write(tmp_path, rounded, 2024)], bundle, 100)


def test_messages_come_in_the_order_of_the_files(cells: Cells, bundle: Bundle, tmp_path: Path) -> None:
    noted = {table: as_text(frame.assign(note="x")) for table, frame in cells.items()}
    messages: list[str] = []
    scored([write(tmp_path, noted, 2024)], bundle, 1200, messages)
    tables = [message.partition(" does not have")[0].rpartition(" ")[2] for message in messages if "note" in message]
    assert tables == list(Table)


def test_a_rejected_row_without_an_accident_id_names_none(
    cells: Cells, bundle: Bundle, year_files: dict[Table, bytes], tmp_path: Path
) -> None:
    people = cells[Table.USAGERS].copy()
    people.loc[people.index[7], "Num_Acc"] = ""
    edition = write(tmp_path, year_files | {Table.USAGERS: as_text(people)}, 2024)
    (row,) = [row for row in rejected(scored([edition], bundle, 1200)) if row.reason == "is no accident id"]
    assert (row.file, row.row, row.accident_id) == ("usagers.csv", 9, None)
