"""Accidents drawn at random from the column specification, with every kind of gap, for laws that hold for any data."""

import numpy as np
import pandas as pd

from accidents.columns import MISSING, TABLES, Column, ColumnKind, Table
from accidents.tables import LABEL, Accidents

_TEXTS = {
    "dep": ["01", "24", "2A", "75", "971"],
    "com": ["01004", "24322", "2A004", "75115", "97105"],
    "voie": ["D438", "RN 104", "A6", "HOTEL DIEU (RUE DE L')", "Rue de l'Hôtel-Dieu", "0"],
}


def _column(column: Column, rows: int, rng: np.random.Generator) -> pd.Series:
    gaps = rng.random(rows) < 0.15
    if column.kind is ColumnKind.TEXT:
        texts = rng.choice(_TEXTS.get(column.name, ["x"]), rows)
        return pd.Series(texts, dtype="str").mask(gaps)
    if column.kind is ColumnKind.NUMBER:
        low, high = {"lat": (41, 51), "long": (-5, 9)}.get(column.name, (1, 10))
        return pd.Series(np.where(gaps, np.nan, rng.uniform(low, high, rows)))
    if column.codes:
        drawn = rng.choice(list(column.codes), rows)
    else:
        bounds = {"an": (2019, 2024), "an_nais": (1905, 2024), "jour": (1, 28), "nbv": (1, 8)}
        low, high = bounds.get(column.name, (int(column.minimum or 0), int(column.maximum or 1000)))
        drawn = rng.integers(low, high, rows, endpoint=True)
    return pd.Series(np.where(gaps, MISSING, drawn).astype(column.kind.dtype))


def _table(table: Table, ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    columns = {name: _column(column, len(ids), rng) for name, column in TABLES[table].items()}
    return pd.DataFrame(columns | {"Num_Acc": ids.astype("int64")})


def random_accidents(seed: int, accidents: int = 40) -> Accidents:
    """So many accidents of 1 to 4 vehicles and 1 to 6 people each, who are each in one of the vehicles."""
    rng = np.random.default_rng(seed)
    ids = 202400000001 + np.sort(rng.choice(10 * accidents, accidents, replace=False))
    vehicles = _table(Table.VEHICULES, np.repeat(ids, rng.integers(1, 5, accidents)), rng)
    vehicles["id_vehicule"] = rng.permutation(len(vehicles)) + 155_000_000
    people = _table(Table.USAGERS, np.repeat(ids, rng.integers(1, 7, accidents)), rng)
    fleet = vehicles.groupby("Num_Acc")["id_vehicule"].apply(list)
    people["id_vehicule"] = [rng.choice(fleet[accident]) for accident in people["Num_Acc"]]
    main = _table(Table.CARACTERISTIQUES, ids, rng)
    road = _table(Table.LIEUX, ids, rng).drop(columns="Num_Acc")
    label = pd.Series(rng.integers(0, 2, accidents), name=LABEL, dtype="int8")
    return Accidents(pd.concat([main, road, label], axis=1), vehicles, people)


def select_accidents(accidents: Accidents, rows: np.ndarray) -> Accidents:
    """These rows alone, with their vehicles and people."""
    table = accidents.accidents.iloc[rows].reset_index(drop=True)

    def of(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["Num_Acc"].isin(table["Num_Acc"])].reset_index(drop=True)

    return Accidents(table, of(accidents.vehicles), of(accidents.people))
