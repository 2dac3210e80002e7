"""The synthetic year beside the real months."""

from pathlib import Path

import pandas as pd
import pytest

from accidents.columns import Table
from tests.sample.conftest import Cells

pytestmark = [pytest.mark.real, pytest.mark.slow]
FILES = {
    Table.CARACTERISTIQUES: "caract-2024.csv",
    Table.LIEUX: "lieux-2024.csv",
    Table.VEHICULES: "vehicules-2024.csv",
    Table.USAGERS: "usagers-2024.csv",
}


@pytest.fixture(scope="module")
def real(real_baac: Path) -> Cells:
    return {
        table: pd.read_csv(real_baac / "2024" / name, sep=";", dtype=str, keep_default_na=False)
        for table, name in FILES.items()
    }


def tuples(cells: pd.DataFrame, columns: list[str]) -> set[tuple[str, ...]]:
    return set(cells[columns].itertuples(index=False, name=None))


def test_no_real_place_vehicle_or_person_is_in_the_sample(year: Cells, real: Cells) -> None:
    assert not tuples(year[Table.CARACTERISTIQUES], ["lat", "long"]) & tuples(
        real[Table.CARACTERISTIQUES], ["lat", "long"]
    )
    for table, key in ((Table.VEHICULES, "id_vehicule"), (Table.USAGERS, "id_usager")):
        assert not set(year[table][key]) & set(real[table][key])


def test_no_real_accident_is_in_the_sample(year: Cells, real: Cells) -> None:
    """Where, when and how: facts of `caracteristiques` that together point at one accident."""
    facts = ["jour", "mois", "hrmn", "com", "lum", "agg", "int", "atm", "col"]
    shared = tuples(year[Table.CARACTERISTIQUES], facts) & tuples(real[Table.CARACTERISTIQUES], facts)
    # Drawn independently, some agree by chance in the communes with the most accidents.
    assert len(shared) < 20


def test_real_pairs_of_columns_hang_together_as_in_the_sample(year: Cells, real: Cells) -> None:
    pairs = {
        Table.CARACTERISTIQUES: [("agg", "dep"), ("col", "agg"), ("int", "agg")],
        Table.LIEUX: [("catr", "vma"), ("catr", "circ"), ("plan", "situ")],
        Table.VEHICULES: [("catv", "obsm"), ("manv", "choc")],
        Table.USAGERS: [("catu", "grav"), ("sexe", "catu"), ("secu1", "catu")],
    }
    for table, columns in pairs.items():
        synthetic = year[table].drop_duplicates("Num_Acc") if table is Table.LIEUX else year[table]
        for pair in columns:
            shares = [cells.groupby(list(pair)).size() / len(cells) for cells in (synthetic, real[table])]
            assert shares[0].sub(shares[1], fill_value=0).abs().sum() / 2 < 0.09, (table, pair)


def test_missing_cells_are_as_frequent(year: Cells, real: Cells) -> None:
    for table in Table:
        for column in real[table]:
            shares = [cells[table][column].isin(["", " -1"]).mean() for cells in (year, real)]
            assert abs(shares[0] - shares[1]) < 0.05, (table, column)
