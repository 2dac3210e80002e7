"""The account of rows: quarantine, totals, and no false alarm on clean files."""

from pathlib import Path

import pandas as pd
import pytest

from accidents.cleaning.column_swap import find_emptied_columns, find_swapped_columns
from accidents.columns import TABLES, Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.ingestion import IngestionSettings
from accidents.errors import DataError
from accidents.ingestion import IngestionResult, ingest
from accidents.reading.issues import REPORT_COLUMNS, Action
from accidents.reading.typed_table import read_table
from accidents.sample.writer import write_sample
from accidents.schemas.accidents import validate_accidents
from accidents.schemas.raw import table_schema
from accidents.sources.edition import Edition
from tests.editions import OLD, Cells, as_text, synthetic_cells, write
from tests.ingestion.conftest import TODAY, Run

C, L, V, U = Table
REAL_2024 = {C: "caract-2024.csv", L: "lieux-2024.csv", V: "vehicules-2024.csv", U: "usagers-2024.csv"}


def assert_adds_up(result: IngestionResult) -> None:
    counts = result.counts
    for table in Table:
        not_chosen = counts["lieux_not_chosen"] if table is L else 0
        assert counts[f"{table}_in"] == counts[f"{table}_out"] + counts[f"{table}_quarantined"] + not_chosen
        assert counts[f"{table}_quarantined"] == (result.quarantine["table"] == table).sum()
    assert counts["caracteristiques_out"] == counts["lieux_out"] == len(result.accidents.accidents)
    assert counts["vehicules_out"] == len(result.accidents.vehicles)
    assert counts["usagers_out"] == len(result.accidents.people)


def test_a_clean_year(clean: IngestionResult, clean_cells: Cells) -> None:
    assert_adds_up(clean)
    assert len(clean.accidents.accidents) == len(clean_cells[C])
    assert clean.counts["lieux_not_chosen"] == len(clean_cells[L]) - len(clean_cells[C])
    assert clean.quarantine.empty
    assert tuple(clean.report.columns) == REPORT_COLUMNS
    assert "stopped" not in set(clean.report["action"])
    validate_accidents(clean.accidents)


def test_a_faulty_row_takes_its_whole_accident_along(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    vehicles, people = clean_cells[V].copy(), clean_cells[U]
    accident = int(str(vehicles["Num_Acc"][10]))
    vehicles.loc[10, "id_vehicule"] = "x"
    result = run({V: as_text(vehicles)})
    assert_adds_up(result)
    quarantined = result.quarantine
    assert set(quarantined["Num_Acc"]) == {accident}
    assert set(quarantined["table"]) == set(Table)
    assert (quarantined["table"] == U).sum() == (people["Num_Acc"] == str(accident)).sum()
    itself = (quarantined["table"] == V) & (quarantined["row"] == 12)
    assert set(quarantined["reason"][itself]) == {"is no vehicle id"}
    along = quarantined[quarantined["table"] != U]["reason"][~itself]
    assert set(along) == {"another row of its accident is quarantined: vehicules: is no vehicle id"}
    assert quarantined["reason"][quarantined["table"] == U].str.startswith("orphan: person").any()
    assert f"Num_Acc={accident}" in quarantined["content"].iloc[0]
    rest = clean.accidents.accidents
    expected = rest[rest["Num_Acc"] != accident].reset_index(drop=True)
    pd.testing.assert_frame_equal(result.accidents.accidents, expected)


def test_a_ragged_row_is_quarantined_with_its_accident(run: Run, clean_files: dict[Table, bytes]) -> None:
    lines = clean_files[U].split(b"\n")
    lines[7] += b';"1"'
    result = run({U: b"\n".join(lines)})
    assert_adds_up(result)
    row = result.quarantine[result.quarantine["reason"] == "wrong number of fields"].iloc[0]
    assert (row["table"], row["row"]) == ("usagers", 8)
    assert row["Num_Acc"] not in set(result.accidents.accidents["Num_Acc"])
    assert not result.accidents.people["Num_Acc"].isin([row["Num_Acc"]]).any()


def test_bad_cells_become_missing_and_are_counted(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    cells = clean_cells[C].copy()
    cells.loc[[2, 5], "lum"] = ["9", "soir"]
    cells.loc[3, ["jour", "mois"]] = ["31", "02"]
    result = run({C: as_text(cells)})
    report = result.report.set_index("column")[["rows", "first_values", "first_rows", "action"]]
    assert report.to_dict("index")["lum"] == {
        "rows": 2,
        "first_values": "9, soir",
        "first_rows": "4, 7",
        "action": "set to missing",
    }
    assert report.to_dict("index")["jour"]["first_rows"] == "5"
    changed = result.accidents.accidents.set_index("Num_Acc")
    keys = cells["Num_Acc"].astype("int64")
    assert changed.loc[keys[[2, 5]], "lum"].tolist() == [-1, -1]
    assert changed.loc[keys[3], "jour"] == -1
    assert (changed["lum"].to_numpy() != clean.accidents.accidents["lum"].to_numpy()).sum() <= 2


def test_missing_labels_are_counted(run: Run, clean: IngestionResult, clean_cells: Cells) -> None:
    cells = clean_cells[U].copy()
    first = cells["Num_Acc"].iloc[0]
    cells.loc[cells["Num_Acc"] == first, "grav"] = " -1"
    result = run({U: as_text(cells)})
    assert result.counts["accidents_unknown_label"] == clean.counts["accidents_unknown_label"] + 1
    labels = result.accidents.accidents.set_index("Num_Acc")["priority"]
    assert labels[int(first)] == -1


def test_limits_are_settings(clean_cells: Cells, tmp_path: Path) -> None:
    cells = clean_cells[V].copy()
    cells.loc[:40, "id_vehicule"] = "x"
    files = {table: as_text(clean_cells[table]) for table in Table} | {V: as_text(cells)}
    settings = IngestionSettings(limits=DataQualityLimits(bad_keys=0.5))
    result = ingest([write(tmp_path, files, 2024)], settings, today=TODAY)
    assert_adds_up(result)
    assert result.counts["vehicules_quarantined"] >= 41


def test_no_edition_at_all() -> None:
    with pytest.raises(DataError, match="no edition to read"):
        ingest([], IngestionSettings())


@pytest.mark.slow
def test_several_years_in_both_layouts(tmp_path: Path) -> None:
    editions = []
    for year, writing in ((2024, None), (2012, OLD), (2022, None)):
        files = {
            table: as_text(cells, writing) if writing else as_text(cells)
            for table, cells in synthetic_cells(150, year).items()
        }
        editions.append(write(tmp_path / str(year), files, year))
    lines: list[str] = []
    result = ingest(editions, IngestionSettings(), today=TODAY, progress=lines.append)
    assert_adds_up(result)
    assert len(result.accidents.accidents) == 450
    validate_accidents(result.accidents)
    assert set(result.accidents.accidents["an"]) == {2012, 2022, 2024}
    assert sum("cleaning" in line for line in lines) == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_no_alarm_on_samples(seed: int, tmp_path: Path) -> None:
    year = (2024, 2022, 2021, 2019, 2013)[seed % 5]
    write_sample(tmp_path, accidents=2000, year=year, seed=seed)
    paths = {path.name[:4].replace("carc", "cara"): str(path) for path in tmp_path.glob("*.csv")}
    edition = Edition(year, {table: paths[table.value[:4]] for table in Table})
    result = ingest([edition], IngestionSettings(), today=TODAY)
    assert_adds_up(result)
    assert len(result.accidents.accidents) == 2000
    validate_accidents(result.accidents)


@pytest.mark.real
@pytest.mark.slow
def test_the_real_months_of_2024(real_baac: Path) -> None:
    edition = Edition(2024, {table: str(real_baac / "2024" / name) for table, name in REAL_2024.items()})
    result = ingest([edition], IngestionSettings())
    assert_adds_up(result)
    assert result.counts["accidents"] == 40_748
    assert (result.counts["vehicules_out"], result.counts["usagers_out"]) == (69_511, 93_686)
    assert result.quarantine.empty
    validate_accidents(result.accidents)
    corrected = result.report[result.report["check"].str.startswith("coordinates swapped")]
    assert corrected["rows"].tolist() == [9]


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "table", "rows"),
    [
        ("2013/caracteristiques_2013.csv", C, 58_397),
        ("2013/lieux_2013.csv", L, 58_397),
        ("2013/vehicules_2013.csv", V, 98_925),
        ("2018/lieux-2018.csv", L, 57_783),
        ("2018/vehicules-2018.csv", V, 98_876),
        ("2021/lieux-2021.csv", L, 56_518),
        ("2021/vehicules-2021.csv", V, 97_315),
    ],
)
def test_no_alarm_on_single_real_files(real_baac: Path, file: str, table: Table, rows: int) -> None:
    read = read_table(str(real_baac / file), table)
    findings = [
        *read.issues,
        *find_swapped_columns(read, DataQualityLimits()),
        *find_emptied_columns(read, DataQualityLimits()),
    ]
    assert not [finding for finding in findings if finding.action is Action.STOPPED]
    assert len(read.frame) == rows
    assert not read.ragged
    table_schema(table).validate(read.frame, lazy=True)
    missing = [name for name in TABLES[table] if TABLES[table][name].codes and (read.frame[name] == -1).all()]
    assert set(missing) <= {"motor"}


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("part", ["75", "23", "974", "first month"])
def test_no_alarm_on_parts_of_the_real_year(real_baac: Path, tmp_path: Path, part: str) -> None:
    texts = {table: (real_baac / "2024" / name).read_bytes().splitlines() for table, name in REAL_2024.items()}
    fields = [line.split(b";") for line in texts[C]]
    wanted = {
        row[0] for row in fields[1:] if (row[2] == b'"01"' if part == "first month" else row[6] == f'"{part}"'.encode())
    }
    files = {
        table: b"\n".join([lines[0], *(line for line in lines[1:] if line.split(b";", 1)[0] in wanted)])
        for table, lines in texts.items()
    }
    result = ingest([write(tmp_path, files)], IngestionSettings())
    assert_adds_up(result)
    assert len(result.accidents.accidents) == len(wanted)
