"""Each fault does what it says, to a copy of a clean edition."""

from pathlib import Path

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.ingestion import ingest
from accidents.sample.writer import write_sample
from accidents.sources.folder import folder_editions
from tests.faults import FAULTS, Files

pytestmark = pytest.mark.slow

YEARS = (2024, 2013)


@pytest.fixture(scope="module", params=YEARS)
def clean(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    write_sample(folder, accidents=1_500, year=request.param, seed=2)
    return folder


@pytest.mark.parametrize("name", FAULTS)
def test_faults_change_files_and_the_copy_alone(name: str, clean: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in clean.iterdir()}
    FAULTS[name].inject(clean, tmp_path / "damaged", seed=1)
    after = {path.name: path.read_bytes() for path in (tmp_path / "damaged").iterdir()}
    assert {path.name: path.read_bytes() for path in clean.iterdir()} == before
    old_files_have_it_already = "usagers_2013.csv" in before and name in {"crlf", "latin1"}
    assert (after == before) == old_files_have_it_already
    assert len(after) == len(before)


@pytest.mark.parametrize("name", FAULTS)
def test_what_becomes_of_a_faulty_edition(name: str, clean: Path, tmp_path: Path) -> None:
    fault = FAULTS[name]
    fault.inject(clean, tmp_path / "damaged", seed=1)
    editions = folder_editions(str(tmp_path / "damaged"), None)
    if fault.outcome == "stopped":
        with pytest.raises(DataError):
            ingest(editions, IngestionSettings())
        return
    found = ingest(editions, IngestionSettings()).accidents
    wanted = ingest(folder_editions(str(clean), None), IngestionSettings()).accidents
    for part in ("accidents", "vehicles", "people"):
        pd.testing.assert_frame_equal(getattr(found, part), getattr(wanted, part))


def test_a_few_damages_in_detail(clean: Path, tmp_path: Path) -> None:
    def damaged(name: str) -> Files:
        FAULTS[name].inject(clean, tmp_path / name)
        return Files(tmp_path / name, seed=0)

    original = Files(clean, seed=0)
    accidents = original.cells(Table.CARACTERISTIQUES)
    assert damaged("bom").content(Table.LIEUX).startswith(b"\xef\xbb\xbf")
    assert (damaged("code_outside_list").cells(Table.CARACTERISTIQUES)["lum"] == "77").mean() == pytest.approx(0.05)
    assert (damaged("swapped_coordinates").cells(Table.CARACTERISTIQUES)["lat"] != accidents["lat"]).sum() <= 5
    assert "catv" not in damaged("missing_column").cells(Table.VEHICULES)
    assert damaged("empty_file").content(Table.LIEUX) == b""
    assert set(damaged("column_order").cells(Table.USAGERS)) == set(original.cells(Table.USAGERS))
    known = set(accidents.iloc[:, 0])
    for name, table in (("orphan_vehicles", Table.VEHICULES), ("orphan_people", Table.USAGERS)):
        assert (~damaged(name).cells(table)["Num_Acc"].isin(known)).mean() == pytest.approx(0.01, abs=0.001)
    assert damaged("two_years_mixed").cells(Table.CARACTERISTIQUES)["an"].nunique() == 2


def test_the_seed_chooses_the_rows(clean: Path, tmp_path: Path) -> None:
    rows = {}
    for folder, seed in (("one", 1), ("same", 1), ("other", 2)):
        FAULTS["code_outside_list"].inject(clean, tmp_path / folder, seed=seed)
        cells = Files(tmp_path / folder, seed=0).cells(Table.CARACTERISTIQUES)
        rows[folder] = set(cells.index[cells["lum"] == "77"])
    assert rows["one"] == rows["same"] != rows["other"]
