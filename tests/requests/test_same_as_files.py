"""The same accident through JSON and through CSV files gives the same features, bit for bit."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from accidents.columns import TABLES, Availability, Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.features import feature_frame
from accidents.features.catalogue import CELLS, FEATURES
from accidents.features.compute import compute, place_cells
from accidents.ingestion import ingest
from accidents.requests import InvalidRequestError, parse_request
from accidents.sources.edition import Edition
from tests.arrays import concatenate_arrays
from tests.editions import as_text, synthetic_cells, write

PARTS = {"accident": Table.CARACTERISTIQUES, "road": Table.LIEUX}
LISTS = {"vehicles": Table.VEHICULES, "people": Table.USAGERS}


def cells_of(edition: Edition) -> dict[Table, pd.DataFrame]:
    """The cells of the files as text, sorted by accident."""
    frames = {
        table: pd.read_csv(path, sep=";", dtype=str, keep_default_na=False) for table, path in edition.files.items()
    }
    return {table: frame.rename(columns={"Accident_Id": "Num_Acc"}) for table, frame in frames.items()}


def requests_of(cells: dict[Table, pd.DataFrame], accidents: list[str]) -> list[dict[str, Any]]:
    """Accidents in the nested form, every cell as it is published."""
    rows = {table: dict(list(frame.groupby("Num_Acc"))) for table, frame in cells.items()}

    def records(table: Table, accident: str) -> list[dict[str, Any]]:
        specified = {column.name for column in TABLES[table].values() if column.availability is not Availability.AFTER}
        kept = [name for name in cells[table] if name in specified - {"Num_Acc"}]
        return [
            {str(name): cell for name, cell in row.items()} for row in rows[table][accident][kept].to_dict("records")
        ]

    return [
        {part: records(table, accident)[0] for part, table in PARTS.items()}
        | {part: records(table, accident) for part, table in LISTS.items()}
        for accident in accidents
    ]


def check(edition: Edition, every: int) -> None:
    """Compare the accidents that have one road and no cell that a request may not hold."""
    accidents = ingest([edition], IngestionSettings()).accidents
    ids = accidents.accidents["Num_Acc"].astype(str)[::every]
    cells = {table: frame[frame["Num_Acc"].isin(ids)] for table, frame in cells_of(edition).items()}
    ids = ids[~ids.isin(cells[Table.LIEUX]["Num_Acc"][cells[Table.LIEUX]["Num_Acc"].duplicated()])]
    taken = {}
    for row, content in zip(ids.index, requests_of(cells, ids.tolist()), strict=True):
        with suppress(InvalidRequestError):
            taken[row] = parse_request(content).arrays
    assert len(taken) > 0.9 * len(ids)
    frame = feature_frame(accidents).loc[list(taken)]
    expected = frame[[feature.name for feature in FEATURES]].to_numpy(np.float32)
    for row, arrays in zip(expected, taken.values(), strict=True):
        assert compute(arrays)[0].tobytes() == row.tobytes()
    whole = concatenate_arrays([*taken.values()])
    assert compute(whole).tobytes() == expected.tobytes()
    np.testing.assert_array_equal(place_cells(whole), frame[list(CELLS)].to_numpy())


@pytest.mark.slow
def test_synthetic_accidents(tmp_path: Path) -> None:
    check(write(tmp_path, {table: as_text(cells) for table, cells in synthetic_cells(300).items()}), every=1)


@pytest.mark.real
@pytest.mark.slow
def test_real_accidents(real_baac: Path) -> None:
    from accidents.sources.folder import folder_editions

    (edition,) = folder_editions(str(real_baac / "2024"), None)
    check(edition, every=40)
