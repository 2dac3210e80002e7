"""What differs between the editions of 2005 to 2024, one quirk a test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from accidents.columns import Table
from accidents.reading.edition import read_edition
from accidents.reading.issues import UnreadableFileError
from accidents.reading.layout import Layout
from accidents.reading.typed_table import ParsedFile, read_table
from accidents.sources.edition import Edition

C, L, V, U = Table
ReadText = Callable[..., ParsedFile]

OLD_MAIN = "Num_Acc,an,mois,jour,hrmn,lum,agg,int,atm,col,com,adr,gps,lat,long,dep"
OLD_ROAD = "Num_Acc,catr,voie,v1,v2,circ,nbv,pr,pr1,vosp,prof,plan,lartpc,larrout,surf,infra,situ,env1"
OLD_VEHICLES = "Num_Acc,senc,catv,occutc,obs,obsm,choc,manv,num_veh"
OLD_PEOPLE = "Num_Acc,place,catu,grav,sexe,trajet,secu,locp,actp,etatp,an_nais,num_veh"
NEW_MAIN = "Num_Acc;jour;mois;an;hrmn;lum;dep;com;agg;int;atm;col;adr;lat;long"
NEW_VEHICLES = "Num_Acc;id_vehicule;num_veh;senc;catv;obs;obsm;choc;manv;motor;occutc"
NEW_PEOPLE = (
    "Num_Acc;id_usager;id_vehicule;num_veh;place;catu;grav;sexe;an_nais;trajet;secu1;secu2;secu3;locp;actp;etatp"
)


@pytest.fixture
def read_text(tmp_path: Path) -> ReadText:
    def reading(table: Table, text: str, year: int | None = None, encoding: str = "utf-8") -> ParsedFile:
        (tmp_path / "file.csv").write_bytes(text.encode(encoding))
        return read_table(str(tmp_path / "file.csv"), table, year)

    return reading


def old_main(**cells: str) -> str:
    """An old `caracteristiques` of one accident."""
    row = "201300000001,13,2,19,1715,1,2,1,1,3,052,Gare,M,5051199,0290046,590"
    defaults = dict(zip(OLD_MAIN.split(","), row.split(","), strict=True))
    return f"{OLD_MAIN}\r\n{','.join((defaults | cells).values())}\r\n"


def new_main(**cells: str) -> str:
    """A new `caracteristiques` of one accident."""
    row = "202400000001;25;03;2024;07:40;2;70;70285;1;1;5;1;D438;47,56277000;6,75832000"
    defaults = dict(zip(NEW_MAIN.split(";"), row.split(";"), strict=True))
    line = ";".join(f'"{cell}"' for cell in (defaults | cells).values())
    return ";".join(f'"{name}"' for name in defaults) + f"\n{line}\n"


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("1715", 1035),
        ("715", 435),
        ("15", 15),
        ("5", 5),
        ("0", 0),
        ("2359", 1439),
        ("2400", -1),
        ("1760", -1),
        ("", -1),
    ],
)
def test_old_times_lose_their_zeros(read_text: ReadText, written: str, minutes: int) -> None:
    assert read_text(C, old_main(hrmn=written)).frame["hrmn"][0] == minutes


@pytest.mark.parametrize(("written", "minutes"), [("17:15", 1035), ("07:05", 425), ("7:05", 425), ("17:75", -1)])
def test_new_times(read_text: ReadText, written: str, minutes: int) -> None:
    frame = read_text(C, new_main(hrmn=written)).frame
    assert frame["hrmn"][0] == minutes
    assert frame["hrmn"].dtype == np.int16


@pytest.mark.parametrize(("written", "year"), [("13", 2013), ("5", 2005), ("05", 2005), ("2013", 2013)])
def test_old_years_have_two_digits(read_text: ReadText, written: str, year: int) -> None:
    assert read_text(C, old_main(an=written)).frame["an"][0] == year


@pytest.mark.parametrize(
    ("written", "commune", "department", "whole"),
    [
        ("590", "052", "59", "59052"),
        ("010", "53", "01", "01053"),
        ("10", "053", "01", "01053"),
        ("201", "004", "2A", "2A004"),
        ("202", "033", "2B", "2B033"),
        ("750", "116", "75", "75116"),
        ("971", "024", "971", "97124"),
        ("974", "411", "974", "97411"),
        ("9710", "024", "971", "97124"),
    ],
)
def test_old_departments_are_times_ten_and_communes_short(
    read_text: ReadText, written: str, commune: str, department: str, whole: str
) -> None:
    frame = read_text(C, old_main(dep=written, com=commune)).frame
    assert frame["dep"][0] == department
    assert frame["com"][0] == whole


@pytest.mark.parametrize("written", ["591", "000", "99", "203", "x"])
def test_old_departments_that_do_not_exist(read_text: ReadText, written: str) -> None:
    frame = read_text(C, old_main(dep=written)).frame
    assert pd.isna(frame["dep"][0])
    assert pd.isna(frame["com"][0])


@pytest.mark.parametrize(
    ("written", "degrees"),
    [
        ("5051199", 50.51199),
        ("-023735", -0.23735),
        ("0000123", 0.00123),
        ("50.51199", 50.51199),
        ("5051199.0", 50.51199),
    ],
)
def test_old_coordinates_are_scaled(read_text: ReadText, written: str, degrees: float) -> None:
    assert read_text(C, old_main(lat=written)).frame["lat"][0] == pytest.approx(degrees, abs=1e-9)


@pytest.mark.parametrize("written", ["", "0000000", "0"])
def test_old_coordinates_not_taken(read_text: ReadText, written: str) -> None:
    file = read_text(C, old_main(lat=written, long=written))
    assert file.frame[["lat", "long"]].isna().to_numpy().all()
    assert not file.issues


def test_new_coordinates_have_commas_and_spaces_before_the_sign(read_text: ReadText) -> None:
    frame = read_text(C, new_main(lat=" -21,34500000", long="55,48")).frame
    assert frame["lat"][0] == -21.345
    assert frame["long"][0] == 55.48


def test_old_widths_are_decimetres(read_text: ReadText) -> None:
    rows = (
        "201300000001,3,39,,,2,02,10,910,0,1,1,012,061,1,0,1,99\r\n201300000002,3,39,,,2,02,10,910,0,1,1,000,000,1,0,1,"
    )
    frame = read_text(L, f"{OLD_ROAD}\r\n{rows}").frame
    assert frame["lartpc"].tolist() == [1.2, 0]
    assert frame["larrout"][0] == 6.1
    assert np.isnan(frame["larrout"][1])
    assert frame["vma"].tolist() == [-1, -1]
    assert frame["env1"].tolist()[0] == "99"


def test_old_vehicles_get_ids_that_their_people_share(read_text: ReadText) -> None:
    rows = "201300000001,0,07,000,00,2,1,01,A01\r\n201300000001,0,33,000,00,2,1,01,B02\r\n201300000002,0,7,,,2,1,1,A01"
    vehicles = read_text(V, f"{OLD_VEHICLES}\r\n{rows}").frame
    people = read_text(
        U, f"{OLD_PEOPLE}\n201300000001,1,1,4,1,5,11,,,,1980,B02\n201300000002,1,1,1,2,,,,,,1980,A01"
    ).frame
    assert vehicles["id_vehicule"].is_unique
    assert people["id_vehicule"].tolist() == vehicles["id_vehicule"].tolist()[1:]
    assert vehicles["catv"].tolist() == [7, 33, 7]
    assert (vehicles["motor"] == -1).all()


@pytest.mark.parametrize(
    ("written", "code"),
    [("11", 1), ("21", 2), ("12", 0), ("13", 8), ("31", 3), ("91", 9), ("1", -1), ("10", -1), ("", -1), ("03", -1)],
)
def test_old_safety_equipment_counts_when_used(read_text: ReadText, written: str, code: int) -> None:
    frame = read_text(U, f"{OLD_PEOPLE}\n201300000001,1,1,4,1,5,{written},,,,1980,A01").frame
    assert frame["secu1"][0] == code
    assert frame["secu2"][0] == -1


def test_old_files_are_latin1_with_crlf_and_no_final_newline(read_text: ReadText) -> None:
    file = read_text(C, old_main(adr="Allée de l'Été").rstrip(), encoding="latin-1")
    assert file.frame["adr"][0] == "Allée de l'Été"
    assert not file.issues


def test_2009_is_separated_by_tabs(read_text: ReadText) -> None:
    text = (
        old_main(adr="a, b")
        .replace(",", "\t")
        .replace("a\t b", "a, b")
        .replace("201300", "200900")
        .replace("\t13\t", "\t9\t")
    )
    frame = read_text(C, text).frame
    assert frame["adr"][0] == "a, b"
    assert frame["an"][0] == 2009


def test_2018_holds_a_lone_quote(read_text: ReadText) -> None:
    rows = [f"20180000000{place},4,{road},,,2,02,,,0,2,1,,,1,0,1,00" for place, road in enumerate(('"', "X", '""""'))]
    frame = read_text(L, "\r\n".join([OLD_ROAD, *rows])).frame
    assert frame["voie"].tolist() == ['"', "X", '"']


def test_old_fields_with_commas_stand_in_quotes(read_text: ReadText) -> None:
    frame = read_text(C, old_main(adr='"D642, dite ""LA ROUTE"""')).frame
    assert frame["adr"][0] == 'D642, dite "LA ROUTE"'


def test_2022_calls_the_key_differently(read_text: ReadText) -> None:
    frame = read_text(C, new_main().replace("Num_Acc", "Accident_Id")).frame
    assert frame["Num_Acc"][0] == 202400000001


def test_missing_markers(read_text: ReadText) -> None:
    frame = read_text(C, new_main(lum=" -1", int="", atm="0", col=".", adr="N/A", hrmn="", lat=" -1")).frame
    assert (frame[["lum", "int", "atm", "col", "hrmn"]] == -1).to_numpy().all()
    assert pd.isna(frame["adr"][0])
    assert np.isnan(frame["lat"][0])


def test_ids_hold_no_break_spaces(read_text: ReadText) -> None:
    row = '"202400000001";"155\u00a0781\u00a0758";"A01";"0";"7";"0";"2";"1";"1";" -1";""'
    file = read_text(V, ";".join(f'"{name}"' for name in NEW_VEHICLES.split(";")) + f"\n{row}\n")
    assert file.frame["id_vehicule"][0] == 155781758
    assert (file.frame[["senc", "motor", "occutc"]] == -1).to_numpy().all()
    assert not file.issues


def test_actions_of_pedestrians_are_letters_too(read_text: ReadText) -> None:
    rows = [
        f"20240000000{place};{place};1;A01;10;3;4;1;1980;5;0; -1; -1;3;{code};1" for place, code in enumerate("3AB07")
    ]
    file = read_text(U, "\n".join([NEW_PEOPLE, *rows]))
    assert file.frame["actp"].tolist() == [3, 10, 11, -1, -1]
    assert [(finding.rows, finding.first_values, finding.first_rows) for finding in file.issues] == [(1, ("7",), (6,))]


def test_lines_may_be_blank_at_the_end(read_text: ReadText) -> None:
    assert len(read_text(C, new_main() + "\n\n").frame) == 1


def test_addresses_hold_separators_and_quotes(read_text: ReadText) -> None:
    assert read_text(C, new_main(adr='RUE ""DU"" PONT; A DROITE')).frame["adr"][0] == 'RUE "DU" PONT; A DROITE'


@pytest.mark.parametrize(
    ("table", "text", "layout"),
    [
        (C, old_main(), Layout.UNTIL_2018),
        (C, new_main(), Layout.SINCE_2019),
        (V, f"{OLD_VEHICLES}\n201300000001,0,7,,0,2,1,1,A01", Layout.UNTIL_2018),
    ],
)
def test_layouts_are_detected_by_their_columns(read_text: ReadText, table: Table, text: str, layout: Layout) -> None:
    assert read_text(table, text).layout is layout


def test_the_year_is_detected_by_the_accident_ids(tmp_path: Path) -> None:
    texts = {
        C: old_main(),
        L: f"{OLD_ROAD}\n201300000001,3,39,,,2,02,10,910,0,1,1,012,061,1,0,1,99",
        V: f"{OLD_VEHICLES}\n201300000001,0,7,,0,2,1,1,A01",
        U: f"{OLD_PEOPLE}\n201300000001,1,1,4,1,5,11,,,,1980,A01",
    }
    for table, text in texts.items():
        (tmp_path / f"{table}.csv").write_text(text)
    reading = read_edition(Edition(None, {table: str(tmp_path / f"{table}.csv") for table in Table}))
    assert reading.year == 2013
    assert len(reading.tables.usagers) == 1


def test_urls_are_read_like_paths(tmp_path: Path) -> None:
    (tmp_path / "caract.csv").write_text(new_main())
    assert len(read_table(f"file://{tmp_path}/caract.csv", C).frame) == 1


def test_a_duplicate_column_is_rejected(read_text: ReadText) -> None:
    text = new_main().replace('"agg"', '"lum"')
    with pytest.raises(UnreadableFileError, match=r"file\.csv, column lum: .*twice"):
        read_text(C, text)
