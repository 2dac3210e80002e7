"""Real months written in the layout of other editions: the same accidents come out."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.expectations.validation import validate_tables
from accidents.ingestion import IngestionResult, ingest
from tests.editions import Cells, Writing, as_text, write
from tests.ingestion.test_account import REAL_2024, assert_adds_up

pytestmark = [pytest.mark.real, pytest.mark.slow]
C, L, V, U = Table
LOST = {
    "an",
    "adr",
    "gps",
    "vma",
    "env1",
    "Num_Acc",
}  # these differ between the layouts, or cannot be written in Latin-1
ROUNDED = ["lat", "long"]
OF_VEHICLES = ["senc", "catv", "obs", "obsm", "choc", "manv", "occutc"]
OF_PEOPLE = ["place", "catu", "grav", "sexe", "trajet", "locp", "actp", "etatp"]


@pytest.fixture(scope="module")
def real_cells(real_baac: Path) -> Cells:
    return {
        table: pd.read_csv(real_baac / "2024" / name, sep=";", dtype=str, keep_default_na=False)
        for table, name in REAL_2024.items()
    }


@pytest.fixture(scope="module")
def real(real_cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> IngestionResult:
    files = {table: as_text(cells) for table, cells in real_cells.items()}
    return ingest([write(tmp_path_factory.mktemp("real"), files, 2024)], IngestionSettings())


def old_cells(cells: Cells, year: int) -> Cells:
    """What an edition of before 2019 would hold of these accidents; what is not recorded is empty throughout."""
    plain = {
        table: frame.assign(Num_Acc=str(year) + frame["Num_Acc"].str[4:]).map(
            lambda cell: "" if cell.strip() == "-1" else cell
        )
        for table, frame in cells.items()
    }
    main, roads, vehicles, people = plain[C], plain[L], plain[V], plain[U]
    main["an"], main["gps"] = str(year)[2:].lstrip("0"), "M"
    main["hrmn"] = [str(int(time.replace(":", ""))) for time in main["hrmn"]]
    main["dep"] = main["dep"].map(lambda dep: {"2A": "201", "2B": "202"}.get(dep, dep.ljust(3, "0")))
    main["com"] = main["com"].str[-3:]
    main["adr"] = [text.encode("latin-1", "replace").decode("latin-1") for text in main["adr"]]
    people["an_nais"] = [born and str(int(float(born)) + year - 2024) for born in people["an_nais"]]
    main[ROUNDED] = main[ROUNDED].map(lambda cell: f"{float(cell.replace(',', '.')) * 1e5:.0f}" if cell else "")
    widths = ["lartpc", "larrout"]
    roads[widths] = roads[widths].map(lambda cell: f"{float(cell.replace(',', '.')) * 10:03.0f}" if cell else "")
    vehicles[["catv", "obs", "manv"]] = vehicles[["catv", "obs", "manv"]].map(lambda cell: cell and cell.zfill(2))
    return {
        C: main,
        L: roads.drop(columns="vma").assign(env1="99"),
        V: vehicles.drop(columns=["id_vehicule", "motor"]),
        U: people.drop(columns=["id_usager", "id_vehicule", "secu1", "secu2", "secu3"]).assign(secu="11"),
    }


def contents(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Rows in an order of their own: vehicles and people of an accident are sorted by ids that differ."""
    keys = frame["Num_Acc"] % 10**8
    return frame[columns].assign(key=keys).sort_values(["key", *columns], ignore_index=True)


@pytest.mark.parametrize(("year", "separator"), [(2009, "\t"), (2016, ",")])
def test_in_the_layout_until_2018(
    year: int, separator: str, real_cells: Cells, real: IngestionResult, tmp_path: Path
) -> None:
    old = {
        table: as_text(
            cells, Writing(separator if table is C else ",", False, "\r\n", "latin-1" if table is C else "utf-8")
        )
        for table, cells in old_cells(real_cells, year).items()
    }
    result = ingest([write(tmp_path, old)], IngestionSettings())
    assert_adds_up(result)
    assert not validate_tables(result.tables, IngestionSettings().effective_expectations).blocking_failures
    quarantined = set(result.quarantine["Num_Acc"] % 10**8)  # one pair of Num_Acc and num_veh occurs twice in 2024
    assert len(quarantined) == 1

    def kept(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[~(frame["Num_Acc"] % 10**8).isin(quarantined)].reset_index(drop=True)

    clean, main = kept(real.accidents.accidents), result.accidents.accidents
    pd.testing.assert_frame_equal(main[ROUNDED], clean[ROUNDED], rtol=0, atol=1e-5)
    same = [name for name in clean if name not in LOST | set(ROUNDED)]
    if year == 2009:  # which had no 29 February
        clean["jour"] = clean["jour"].mask((clean["mois"] == 2) & (clean["jour"] == 29), -1)
    pd.testing.assert_frame_equal(main[same], clean[same])
    assert set(main["an"]) == {year}
    for part, columns in (("vehicles", OF_VEHICLES), ("people", OF_PEOPLE)):
        before, now = kept(getattr(real.accidents, part)), getattr(result.accidents, part)
        pd.testing.assert_frame_equal(contents(now, columns), contents(before, columns))


def _key_of_2022(cells: Cells) -> Cells:
    return cells | {C: cells[C].rename(columns={"Num_Acc": "Accident_Id"})}


def _several_roads(cells: Cells) -> Cells:
    further = cells[L].sample(frac=0.4, random_state=0).assign(surf=" -1", vma=" -1", catr="4")
    return cells | {L: pd.concat([cells[L], further]).sample(frac=1, random_state=1)}


@pytest.mark.parametrize("change", [_key_of_2022, _several_roads])
def test_in_the_layout_since_2019(
    change: Callable[[Cells], Cells], real_cells: Cells, real: IngestionResult, tmp_path: Path
) -> None:
    files = {table: as_text(cells) for table, cells in change(real_cells).items()}
    result = ingest([write(tmp_path, files)], IngestionSettings())
    assert_adds_up(result)
    assert not validate_tables(result.tables, IngestionSettings().effective_expectations).blocking_failures
    for part in ("accidents", "vehicles", "people"):
        pd.testing.assert_frame_equal(getattr(result.accidents, part), getattr(real.accidents, part))
