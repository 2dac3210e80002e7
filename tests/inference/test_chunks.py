"""Splitting an edition moves rows and changes none."""

import re
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns import Table
from accidents.errors import DataError
from accidents.inference import chunks as module
from accidents.inference.chunks import split_edition
from accidents.sources.edition import Edition
from tests.editions import NEW, OLD, Writing, as_text, synthetic_cells, write

SMALL = synthetic_cells(40)


def rejoined(edition: Edition, size: int, folder: Path) -> dict[Table, dict[int, bytes]]:
    """Rows of all chunks by the row of the file that they were."""
    result: dict[Table, dict[int, bytes]] = {table: {} for table in Table}
    for chunk in split_edition(edition, size, folder):
        for table, path in chunk.edition.files.items():
            rows = [row for row in re.split(rb"(?<=\n)(?=[\"2])", Path(path).read_bytes()) if row][1:]
            for row, text in enumerate(rows, start=2):
                number = chunk.original_row(table, row)
                assert number not in result[table]
                result[table][number] = text
    return result


@settings(deadline=None, max_examples=15)
@given(chunk=st.integers(1, 50), seed=st.integers(0, 1000), broken=st.booleans())
def test_every_row_is_unchanged_in_one_chunk(chunk: int, seed: int, broken: bool) -> None:
    random = np.random.default_rng(seed)
    cells = {table: frame.iloc[random.permutation(len(frame))] for table, frame in SMALL.items()}
    if broken:
        main = cells[Table.CARACTERISTIQUES]
        cells[Table.CARACTERISTIQUES] = main.assign(adr="a line\nbreak; and more")
    files = {table: as_text(frame) for table, frame in cells.items()}
    with tempfile.TemporaryDirectory() as folder:
        edition = write(Path(folder) / "year", files)
        (Path(folder) / "chunks").mkdir()
        result = rejoined(edition, chunk, Path(folder) / "chunks")
    for table, text in files.items():
        header = text.index(b"\n") + 1
        assert b"".join(result[table][row] for row in sorted(result[table])) == text[header:]
        assert sorted(result[table]) == list(range(2, len(cells[table]) + 2))


def test_rows_are_written_whenever_the_buffer_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edition = write(tmp_path / "year", {table: as_text(frame) for table, frame in SMALL.items()})
    result = []
    for size in (module._BUFFER_CHARACTERS, 500, 1):
        monkeypatch.setattr(module, "_BUFFER_CHARACTERS", size)
        chunks = tmp_path / str(size)
        chunks.mkdir()
        result.append(rejoined(edition, 7, chunks))
    assert result[0] == result[1] == result[2]


@pytest.mark.parametrize("chunk", [1, 7, 13, 40, 1000])
def test_chunks_are_in_order_and_of_even_size(chunk: int, tmp_path: Path) -> None:
    edition = write(tmp_path / "year", {table: as_text(frame) for table, frame in SMALL.items()})
    (tmp_path / "chunks").mkdir()
    chunks = split_edition(edition, chunk, tmp_path / "chunks")
    sizes = [chunk.accidents for chunk in chunks]
    assert sum(sizes) == 40
    assert max(sizes) <= chunk
    assert max(sizes) - min(sizes) <= 1
    assert all(one.last < other.first for one, other in pairwise(chunks))
    assert {chunk.edition.year for chunk in chunks} == {2024}
    for one in chunks:
        path = Path(one.edition.files[Table.CARACTERISTIQUES])
        ids = {int(found) for found in re.findall(rb'^"?(\d{12})', path.read_bytes(), re.MULTILINE)}
        assert (min(ids), max(ids), len(ids)) == (one.first, one.last, one.accidents)


@pytest.mark.parametrize(
    ("writing", "year"),
    [(OLD, 2012), (Writing(line_end="\r\n"), 2024), (Writing(mark=b"\xef\xbb\xbf"), 2024), (NEW, 2022)],
)
def test_every_way_of_writing_is_split(writing: Writing, year: int, tmp_path: Path) -> None:
    cells = synthetic_cells(30, year=year)
    edition = write(tmp_path / "year", {table: as_text(frame, writing) for table, frame in cells.items()}, year)
    (tmp_path / "chunks").mkdir()
    result = rejoined(edition, 10, tmp_path / "chunks")
    assert {table: len(rows) for table, rows in result.items()} == {table: len(rows) for table, rows in cells.items()}


def test_rows_are_written_when_the_buffer_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accidents.inference.chunks._BUFFER_CHARACTERS", 500)
    edition = write(tmp_path / "year", {table: as_text(frame) for table, frame in SMALL.items()})
    (tmp_path / "chunks").mkdir()
    result = rejoined(edition, 15, tmp_path / "chunks")
    assert {table: len(rows) for table, rows in result.items()} == {table: len(rows) for table, rows in SMALL.items()}


def test_a_row_without_an_id_goes_with_the_row_before(tmp_path: Path) -> None:
    files = {table: as_text(frame) for table, frame in SMALL.items()}
    lines = files[Table.VEHICULES].splitlines(keepends=True)
    lines[20] = b'"damaged"\n'
    edition = write(tmp_path / "year", files | {Table.VEHICULES: b"".join(lines)})
    (tmp_path / "chunks").mkdir()
    result = rejoined(edition, 5, tmp_path / "chunks")[Table.VEHICULES]
    assert result[21] == b'"damaged"\n'
    assert len(result) == len(lines) - 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 and so on", "zip archive"),
        (b"<html>not result</html>", "HTML"),
        (b"", "empty"),
        (b'"a";"b"\n"1";"2"\n', "Num_Acc"),
        (None, "cannot be opened"),
    ],
)
def test_what_is_no_baac_file_is_refused_as_in_reading(content: bytes | None, message: str, tmp_path: Path) -> None:
    edition = write(tmp_path / "year", {table: as_text(frame) for table, frame in SMALL.items()})
    target = Path(edition.files[Table.LIEUX])
    target.unlink() if content is None else target.write_bytes(content)
    (tmp_path / "chunks").mkdir()
    with pytest.raises(DataError, match=message) as caught:
        split_edition(edition, 10, tmp_path / "chunks")
    assert "lieux.csv" in str(caught.value)
