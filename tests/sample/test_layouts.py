"""The two ways in which editions are written, down to the bytes."""

from pathlib import Path

import pytest

from accidents.columns import TABLES, Table
from accidents.sample.file_layouts import file_names
from accidents.sample.writer import generate_sample, write_sample
from tests.sample.conftest import Cells

pytestmark = pytest.mark.slow

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("year", "first"),
    [
        (2005, "caracteristiques_2005.csv"),
        (2016, "caracteristiques_2016.csv"),
        (2017, "caracteristiques-2017.csv"),
        (2021, "carcteristiques-2021.csv"),
        (2022, "caracteristiques-2022.csv"),
        (2024, "caract-2024.csv"),
    ],
)
def test_file_names_of_the_year(year: int, first: str, tmp_path: Path) -> None:
    write_sample(tmp_path, accidents=5, year=year)
    names = file_names(year)
    assert names[Table.CARACTERISTIQUES] == first
    assert {path.name for path in tmp_path.iterdir()} == {*names.values(), "SYNTHETIC.txt"}


def test_the_new_layout_in_bytes(tmp_path: Path) -> None:
    write_sample(tmp_path, accidents=2_000)
    for name in file_names(2024).values():
        content = (tmp_path / name).read_bytes()
        text = content.decode("utf-8")
        assert content.endswith(b'"\n')
        assert b"\r" not in content
        fields = [
            field for line in text.splitlines() if '""' not in line and "; " not in line for field in line.split(";")
        ]
        assert all(field.startswith('"') and field.endswith('"') for field in fields)


@pytest.mark.parametrize("year", [2019, 2020, 2021, 2022, 2024])
def test_columns_of_the_new_layout_are_those_published(year: int) -> None:
    cells = generate_sample(5, year=year)
    for table in Table:
        published = [column.name for column in TABLES[table].values() if column.published_in(year)]
        if year == 2022 and table is Table.CARACTERISTIQUES:
            published[0] = "Accident_Id"
        assert list(cells[table].columns) == published


def test_cells_of_the_new_layout(year: Cells) -> None:
    accidents, roads, vehicles, people = (year[table] for table in Table)
    assert accidents["hrmn"].str.fullmatch(r"[012]\d:[0-5]\d").all()
    assert accidents["lat"].str.fullmatch(r" ?-?\d+,\d{8}").all()
    assert accidents.loc[accidents["dep"] == "974", "lat"].str.startswith(" -").mean() > 0.99
    assert (accidents["adr"] == "N/A").mean() == pytest.approx(0.043, abs=0.01)
    assert accidents["adr"].str.contains("é").any()
    assert accidents["adr"].str.contains(";").any()
    assert accidents["com"].str.len().eq(5).all()
    assert (accidents["com"].str[:2] == accidents["dep"].str[:2]).mean() > 0.999
    assert vehicles["id_vehicule"].str.fullmatch(rf"\d+({NO_BREAK_SPACE}\d{{3}})+").all()
    assert people["id_usager"].str.contains(NO_BREAK_SPACE).all()
    assert (roads["larrout"] == " -1").mean() == pytest.approx(0.65, abs=0.05)
    assert roads["larrout"].str.fullmatch(r" -1|\d+(,\d)?").all()
    assert {"N/A"} < set(roads["v2"])
    assert (vehicles["occutc"] == "").mean() > 0.98
    assert roads["vma"].isin(["300", "500", "600", "700", "900"]).any()
    assert (roads["nbv"] == "0").any()


def test_several_rows_of_lieux_from_2024_on(year: Cells) -> None:
    accidents = len(year[Table.CARACTERISTIQUES])
    assert len(year[Table.LIEUX]) / accidents == pytest.approx(70_248 / 54_402, abs=0.02)
    assert len(generate_sample(500, year=2023)[Table.LIEUX]) == 500


def test_the_old_layout_in_bytes(tmp_path: Path) -> None:
    write_sample(tmp_path, accidents=2_000, year=2013)
    first = (tmp_path / "caracteristiques_2013.csv").read_bytes()
    header = first.split(b"\r\n")[0]
    assert header == b"Num_Acc,an,mois,jour,hrmn,lum,agg,int,atm,col,com,adr,gps,lat,long,dep"
    assert "é".encode("latin-1") in first
    with pytest.raises(UnicodeDecodeError):
        first.decode("utf-8")
    for name in file_names(2013).values():
        content = (tmp_path / name).read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n")
        assert b"-1," not in content


def test_cells_of_the_old_layout(old_year: Cells) -> None:
    accidents, roads, vehicles, people = (old_year[table] for table in Table)
    assert (accidents["an"] == "13").all()
    assert accidents["hrmn"].str.fullmatch(r"\d{1,4}").all()
    assert accidents["hrmn"].astype(int).between(0, 2359).all()
    assert (accidents["hrmn"].astype(int) % 100 < 60).all()
    assert accidents["dep"].str.fullmatch(r"\d{2}0|20[12]|97\d|98\d").all()
    assert accidents["com"].str.fullmatch(r"\d[\dAB]?\d").all() | accidents["com"].str.len().eq(3).all()
    mainland = accidents[(accidents["gps"] == "M") & (accidents["lat"] != "0000000")]
    assert mainland["lat"].astype(int).between(41_00000, 52_00000).mean() > 0.98  # `M` stands for Pacific islands, too
    assert (accidents["lat"] == "").any()
    assert (accidents["lat"] == "0000000").any()
    assert vehicles["catv"].str.fullmatch(r"\d{2}").all()
    assert vehicles["occutc"].str.fullmatch(r"\d{3}").all()
    assert not {"id_vehicule", "motor"} & set(vehicles.columns)
    assert not {"id_usager", "secu1"} & set(people.columns)
    assert people["secu"].str.fullmatch(r"\d{2}|").all()
    assert {"gps"} <= set(accidents.columns)
    assert {"env1"} <= set(roads.columns)
    assert "vma" not in roads.columns


def test_the_caracteristiques_of_2009_are_separated_by_tabs(tmp_path: Path) -> None:
    write_sample(tmp_path, accidents=5, year=2009)
    assert b"Num_Acc\tan\tmois" in (tmp_path / "caracteristiques_2009.csv").read_bytes()
    assert b"Num_Acc,catr" in (tmp_path / "lieux_2009.csv").read_bytes()


def test_a_layout_can_be_chosen_against_the_year() -> None:
    assert "secu" in generate_sample(5, year=2024, layout="2005")[Table.USAGERS]
    assert "secu1" in generate_sample(5, year=2010, layout="2019")[Table.USAGERS]
