"""Formats published values in the two layouts of the files: until 2018, and since 2019."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from accidents.columns import MISSING, TABLES, ColumnKind, Table

LayoutName = Literal["2005", "2019"]
NEW_LAYOUT_FROM = 2019

_OLD_COLUMNS: Mapping[Table, str] = {
    Table.CARACTERISTIQUES: "Num_Acc an mois jour hrmn lum agg int atm col com adr gps lat long dep",
    Table.LIEUX: "Num_Acc catr voie v1 v2 circ nbv pr pr1 vosp prof plan lartpc larrout surf infra situ env1",
    Table.VEHICULES: "Num_Acc senc catv occutc obs obsm choc manv num_veh",
    Table.USAGERS: "Num_Acc place catu grav sexe trajet secu locp actp etatp an_nais num_veh",
}
"""Order of the columns until 2018."""

_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
_EMPTY_WHEN_MISSING = ("an_nais", "occutc", "lartpc")
_OLD_WIDTHS = {"nbv": 2, "catv": 2, "obs": 2, "manv": 2, "occutc": 3, "lartpc": 3, "larrout": 3}
"""Digits to which the old layout pads numbers with zeros."""

_OLD_VEHICLES = {50: 99, 60: 99, 80: 1}
"""Kinds of vehicles that the code list until 2018 lacks, and their replacements."""

_LAST_OLD_INFRASTRUCTURE = 7
"""Last code of `infra` until 2018; works and other came later."""


def layout_of_year(year: int) -> LayoutName:
    """The layout in which the edition of a year is published."""
    return "2019" if year >= NEW_LAYOUT_FROM else "2005"


def file_names(year: int) -> dict[Table, str]:
    """Names of the four files, as published for that year."""
    mark = "_" if year <= 2016 else "-"
    first = {2021: "carcteristiques", 2023: "caract", 2024: "caract"}.get(year, "caracteristiques")
    return {table: f"{first if table is Table.CARACTERISTIQUES else table}{mark}{year}.csv" for table in Table}


def format_cells(facts: Mapping[Table, pd.DataFrame], year: int, layout: LayoutName) -> dict[Table, pd.DataFrame]:
    """The text of every cell, with the columns of the edition in their published order."""
    return {table: (_new if layout == "2019" else _old)(table, frame, year) for table, frame in facts.items()}


def encode_file(cells: pd.DataFrame, layout: LayoutName, *, tabs: bool = False, header: bool = True) -> bytes:
    """Bytes of a file, or without its header of a further block of one."""
    if layout == "2019":
        sink = pa.BufferOutputStream()
        options = pyarrow.csv.WriteOptions(include_header=header, delimiter=";", quoting_style="all_valid")
        pyarrow.csv.write_csv(pa.Table.from_pandas(cells, preserve_index=False), sink, options)
        return sink.getvalue().to_pybytes()
    text = cells.to_csv(index=False, header=header, sep="\t" if tabs else ",", lineterminator="\r\n")
    return text.encode("latin-1" if "adr" in cells else "utf-8")


def _new(table: Table, frame: pd.DataFrame, year: int) -> pd.DataFrame:
    edition = max(year, NEW_LAYOUT_FROM)
    columns = [column for column in TABLES[table].values() if column.published_in(edition)]
    cells = {}
    for column in columns:
        values = frame[column.name].to_numpy()
        if column.kind is ColumnKind.TIME:
            text = _join(_padded(values // 60, 2), ":", _padded(values % 60, 2))
        elif column.name == "mois":
            text = _padded(values, 2)
        elif column.name in ("id_vehicule", "id_usager"):
            text = _grouped(values)
        elif column.name in ("lat", "long"):
            text = _decimal_degrees(values)
        elif column.name in ("lartpc", "larrout"):
            text = _metres(values)
        elif column.letter_codes:
            text = _recode(_integers(values), {str(code): letter for letter, code in column.letter_codes.items()})
        else:
            text = _texts(values) if values.dtype == object else _integers(values)
        cells[column.name] = _marked(text, "" if column.name in _EMPTY_WHEN_MISSING else f" {MISSING}")
    if edition == 2022 and table is Table.CARACTERISTIQUES:
        cells["Accident_Id"] = cells.pop("Num_Acc")
        cells = {"Accident_Id": cells["Accident_Id"], **cells}
    return _frame(cells)


def _old(table: Table, frame: pd.DataFrame, year: int) -> pd.DataFrame:
    facts: dict[str, np.ndarray] = {str(name): frame[name].to_numpy() for name in frame}
    if table is Table.CARACTERISTIQUES:
        facts |= _old_accidents(facts)
    elif table is Table.LIEUX:
        facts["v1"] = np.where(facts["v1"] == 0, MISSING, facts["v1"])
        facts["infra"] = np.where(facts["infra"] > _LAST_OLD_INFRASTRUCTURE, 0, facts["infra"])
        facts["catr"] = np.where((facts["catr"] == 7) & (year < 2018), 4, facts["catr"])
    elif table is Table.VEHICULES:
        facts["senc"] = np.where(facts["senc"] == 3, 0, facts["senc"])
        facts["occutc"] = np.maximum(facts["occutc"], 0)
        facts["catv"] = pd.Series(facts["catv"]).replace(_OLD_VEHICLES).to_numpy()
    else:
        facts["secu"] = _OLD_EQUIPMENT[facts["secu1"]]
        facts["actp"] = np.where(facts["actp"] > 9, 9, facts["actp"])
        facts["locp"] = np.where(facts["locp"] == 9, 0, facts["locp"])
        facts["place"] = np.where(facts["place"] == 10, MISSING, facts["place"])
    cells = {}
    for name in _OLD_COLUMNS[table].split():
        values = facts[name]
        text = _texts(values) if values.dtype == object else _integers(values)
        if name in _OLD_WIDTHS:
            text = _recode(_padded(values, _OLD_WIDTHS[name]), {"-1": str(MISSING), "0-1": str(MISSING)})
        cells[name] = _marked(_recode(text, {"N/A": ""}), "")
    return _frame(cells)


def _old_accidents(facts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns of `caracteristiques` that the layout until 2018 formats differently."""
    departments = pd.Series(facts["dep"], dtype="str")
    communes = pd.Series(facts["com"], dtype="str")
    overseas = departments.str.len() == 3
    corsica = departments.map({"2A": "201", "2B": "202"})
    origin = departments.map({"971": "A", "972": "A", "973": "G", "974": "R", "976": "Y"}).fillna("M")
    # One accident in twenty has no coordinates, one has zeros.
    turn = facts["Num_Acc"] % 20
    degrees = {}
    for name in ("lat", "long"):
        scaled = np.where(turn == 1, 0, (facts[name] * 1e5).round().astype(int))
        degrees[name] = np.where(turn == 0, "", np.char.mod("%07d", scaled)).astype(object)
    return {
        "an": facts["an"] % 100,
        "hrmn": facts["hrmn"] // 60 * 100 + facts["hrmn"] % 60,
        "dep": corsica.fillna(departments.where(overseas, departments + "0")).to_numpy(object),
        "com": communes.str[-3:].where(~overseas, "0" + communes.str[-2:]).to_numpy(object),
        "gps": origin.where(turn > 0, "").to_numpy(object),
        **degrees,
    }


_OLD_EQUIPMENT = np.array([12, 11, 21, 31, 41, 91, 21, 21, 13, 91, MISSING])
"""Two-digit equipment by code of `secu1`; the last one stands for -1."""


def _texts(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.string())


def _integers(values: np.ndarray) -> pa.Array:
    return pc.cast(pa.array(values), pa.string())


def _padded(values: np.ndarray, width: int) -> pa.Array:
    return pc.utf8_lpad(_integers(values), width, "0")


def _join(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _grouped(values: np.ndarray) -> pa.Array:
    """`155 781 758`, with no-break spaces."""
    thousands = _padded(values // 1000 % 1000, 3)
    return _join(_integers(values // 10**6), _NO_BREAK_SPACE, thousands, _NO_BREAK_SPACE, _padded(values % 1000, 3))


def _decimal_degrees(values: np.ndarray) -> pa.Array:
    text = pc.replace_substring(pa.array(np.char.mod("%.8f", values)), ".", ",")
    return pc.if_else(pa.array(values < 0), _join(" ", text), text)


def _metres(decimetres: np.ndarray) -> pa.Array:
    """Metres with a decimal comma where there is a fraction; -1 where missing."""
    whole = _integers(decimetres // 10)
    exact = pa.array(decimetres % 10 == 0)
    text = pc.if_else(exact, whole, _join(whole, ",", _integers(decimetres % 10)))
    return pc.if_else(pa.array(decimetres == MISSING), str(MISSING), text)


def _recode(text: pa.Array, replacements: Mapping[str, str]) -> pa.Array:
    for old, new in replacements.items():
        text = pc.if_else(pc.equal(text, old), new, text)
    return text


def _marked(text: pa.Array, missing: str) -> pa.Array:
    """`missing` for every -1."""
    return _recode(text, {str(MISSING): missing})


def _frame(cells: Mapping[str, pa.Array]) -> pd.DataFrame:
    return pa.table(dict(cells)).to_pandas()
