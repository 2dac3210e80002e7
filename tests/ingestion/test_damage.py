"""Damage of no particular kind: whatever happens to a file, it is refused in words or every row is accounted for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.ingestion import ingest
from accidents.schemas.accidents import validate_accidents
from tests.editions import OLD, as_text, synthetic_cells, write
from tests.ingestion.conftest import TODAY
from tests.ingestion.test_account import assert_adds_up

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[2024, 2016])
def small_files(request: pytest.FixtureRequest) -> dict[Table, bytes]:
    cells = synthetic_cells(1200, request.param)
    return {table: as_text(cells[table]) if request.param == 2024 else as_text(cells[table], OLD) for table in Table}


@pytest.mark.parametrize("seed", range(21))
def test_damaged_bytes_and_lines(small_files: dict[Table, bytes], seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    table = list(Table)[seed % len(Table)]
    damages = (_flip_bytes, _drop_bytes, _repeat_line, _drop_line, _cut, _swap_cells, _insert_quotes)
    text = damages[seed % len(damages)](small_files[table], rng)
    try:
        result = ingest([write(tmp_path, small_files | {table: text})], IngestionSettings(), today=TODAY)
    except DataError:
        return
    assert_adds_up(result)
    validate_accidents(result.accidents)


def _flip_bytes(text: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(text)
    for place in rng.integers(0, len(data), size=5):
        data[place] = rng.integers(1, 256)
    return bytes(data)


def _drop_bytes(text: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(text) - 200))
    return text[:start] + text[start + int(rng.integers(1, 200)) :]


def _repeat_line(text: bytes, rng: np.random.Generator) -> bytes:
    lines = text.split(b"\n")
    place = int(rng.integers(0, len(lines) - 1))
    return b"\n".join([*lines[: place + 1], *lines[place:]])


def _drop_line(text: bytes, rng: np.random.Generator) -> bytes:
    lines = text.split(b"\n")
    del lines[int(rng.integers(1, len(lines) - 1))]
    return b"\n".join(lines)


def _cut(text: bytes, rng: np.random.Generator) -> bytes:
    return text[: int(rng.integers(1, len(text)))]


def _swap_cells(text: bytes, rng: np.random.Generator) -> bytes:
    lines = text.split(b"\n")
    for place in rng.integers(1, len(lines) - 1, size=2):
        separator = b";" if b";" in lines[place] else b","
        fields = lines[place].split(separator)
        lines[place] = separator.join(rng.permutation(np.array(fields, dtype=object)).tolist())
    return b"\n".join(lines)


def _insert_quotes(text: bytes, rng: np.random.Generator) -> bytes:
    for place in rng.integers(0, len(text), size=2):
        text = text[:place] + b'"' + text[place:]
    return text


def test_people_without_ids_pasted_twice(tmp_path: Path) -> None:
    cells = synthetic_cells(300, 2012)
    files = {table: as_text(cells[table], OLD) for table in Table}
    files[Table.USAGERS] = as_text(pd.concat([cells[Table.USAGERS]] * 2), OLD)
    with pytest.raises(DataError, match=r"usagers\.csv: duplicate rows: most rows occur twice"):
        ingest([write(tmp_path, files)], IngestionSettings(), today=TODAY)
