"""Accidents counted before any model: severity by time, road and parties, and what is missing.

Each function returns a tidy frame, one row a cell of a table, which `accidents.plots` draws and a notebook shows.
Accidents without a known label count nowhere.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from accidents.columns import MISSING, TABLES, ColumnKind, Table
from accidents.features.code_groups import (
    CYCLES,
    HEAVY_VEHICLES,
    PARTY_OF_CATV,
    POWERED_TWO_WHEELERS,
    Party,
)
from accidents.tables import LABEL, Accidents

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ALONE = "nobody else"
NOT_RECORDED = "not recorded"

KINDS: Mapping[str, frozenset[Party]] = {
    "pedestrian": frozenset({Party.PEDESTRIAN}),
    "cycle": CYCLES,
    "motorcycle, moped": POWERED_TWO_WHEELERS,
    "car": frozenset({Party.CAR, Party.QUAD}),
    "van": frozenset({Party.VAN}),
    "heavy vehicle": HEAVY_VEHICLES,
}
"""Kinds of parties as the tables show them, from the lightest to the heaviest."""

_PEDESTRIAN = 3  # catu


def by_hour_and_weekday(accidents: pd.DataFrame) -> pd.DataFrame:
    """Accidents and share of priority by `weekday` and `hour` (local time).

    Args:
        accidents: `Accidents.accidents`.
    """
    timed = accidents[accidents["hrmn"] >= 0]
    days = pd.to_datetime({"year": timed["an"], "month": timed["mois"], "day": timed["jour"]}, errors="coerce")
    names = _named(days.dt.dayofweek.fillna(-1), WEEKDAYS)
    return _shares(timed, {"weekday": names, "hour": (timed["hrmn"] // 60).to_numpy()})


def by_road_and_light(accidents: pd.DataFrame) -> pd.DataFrame:
    """Accidents and share of priority by category of `road` and `light`.

    Args:
        accidents: `Accidents.accidents`.
    """
    road, light = TABLES[Table.LIEUX]["catr"].codes, TABLES[Table.CARACTERISTIQUES]["lum"].codes
    return _shares(accidents, {"road": _words(accidents["catr"], road), "light": _words(accidents["lum"], light)})


def by_parties(accidents: Accidents) -> pd.DataFrame:
    """Accidents and share of priority by the `lightest` and the `heaviest` party; one alone meets `ALONE`.

    Vehicles of other or unknown categories are no party here.
    """
    kind_of = {party: place for place, parties in enumerate(KINDS.values()) for party in parties}
    categories = {code: kind_of[party] for code, party in PARTY_OF_CATV.items()}
    walking = accidents.people.loc[accidents.people["catu"] == _PEDESTRIAN, "Num_Acc"]
    parties = pd.concat(
        [
            pd.DataFrame(
                {"Num_Acc": accidents.vehicles["Num_Acc"], "kind": accidents.vehicles["catv"].map(categories)}
            ),
            pd.DataFrame({"Num_Acc": walking, "kind": 0}),
        ]
    ).dropna()
    found = parties.groupby("Num_Acc")["kind"].agg(["min", "max", "size"]).astype(int)
    rows = accidents.accidents[accidents.accidents["Num_Acc"].isin(found.index)]
    names = [*KINDS, ALONE]
    heaviest = np.where(found["size"] > 1, found["max"], len(KINDS))
    return _shares(
        rows,
        {
            "lightest": _named(found["min"], names[:-1]),
            "heaviest": _named(heaviest, names),
        },
    )


def missing(accidents: Accidents) -> pd.DataFrame:
    """Share of cells that are not recorded, by `table` and `column`, with the number of `rows` and what it `means`.

    Columns that the editions do not publish are left out.
    """
    frames = {
        Table.CARACTERISTIQUES: accidents.accidents,
        Table.LIEUX: accidents.accidents,
        Table.VEHICULES: accidents.vehicles,
        Table.USAGERS: accidents.people,
    }
    years = sorted(set(accidents.accidents["an"]))
    found = []
    for table, columns in TABLES.items():
        for name, column in columns.items():
            if column.kind is ColumnKind.ID or name not in frames[table] or not any(map(column.published_in, years)):
                continue
            cells = frames[table][name]
            empty = cells.isna() if column.kind in {ColumnKind.NUMBER, ColumnKind.TEXT} else cells == MISSING
            found.append((str(table), name, column.meaning, len(cells), float(empty.mean())))
    return pd.DataFrame(found, columns=["table", "column", "meaning", "rows", "share"])


def _words(codes: pd.Series, words: Mapping[int, str]) -> "pd.Categorical[str]":
    """Codes in words, in the order of the codes; those not recorded last."""
    places = {code: place for place, code in enumerate(words)}
    return _named(codes.map(places).fillna(len(words)), [*words.values(), NOT_RECORDED])


def _named(places: "pd.Series | np.ndarray", names: Sequence[str]) -> "pd.Categorical[str]":
    """Names by their place in `names`, whose order they keep; -1 is none."""
    return pd.Categorical.from_codes(np.asarray(places, dtype=np.int64), pd.Index(names))


def _shares(accidents: pd.DataFrame, groups: Mapping[str, object]) -> pd.DataFrame:
    """`n` accidents with a label and their `share` of priority in every cell that has any."""
    frame = pd.DataFrame({**groups, "label": accidents[LABEL].to_numpy()})
    known = frame[frame["label"] >= 0]
    cells = known.groupby(list(groups), observed=True)["label"].agg(n="size", share="mean")
    return cells.reset_index()
