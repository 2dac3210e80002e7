"""Summary tables for data exploration: share of priority by time, road and parties, and missing values.

Each function returns a tidy frame that `accidents.plots` draws. Accidents without a label are left out.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from accidents.columns import MISSING, TABLES, ColumnKind, Table
from accidents.features.code_groups import CYCLES, HEAVY_VEHICLES, PARTY_OF_CATV, POWERED_TWO_WHEELERS, Party
from accidents.tables import LABEL, Accidents

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SINGLE_PARTY = "nobody else"
"""Heaviest party of an accident with one party."""

NOT_RECORDED = "not recorded"

PARTY_KINDS: Mapping[str, frozenset[Party]] = {
    "pedestrian": frozenset({Party.PEDESTRIAN}),
    "cycle": CYCLES,
    "motorcycle, moped": POWERED_TWO_WHEELERS,
    "car": frozenset({Party.CAR, Party.QUAD}),
    "van": frozenset({Party.VAN}),
    "heavy vehicle": HEAVY_VEHICLES,
}
"""Kinds of parties as the tables show them, from the lightest to the heaviest."""

_PEDESTRIAN = 3  # catu


def priority_by_hour_and_weekday(accidents: pd.DataFrame) -> pd.DataFrame:
    """Count accidents and compute the share of priority by weekday and hour (local time).

    Args:
        accidents: `Accidents.accidents`.

    Returns:
        `weekday`, `hour`, `n`, `share`.
    """
    timed = accidents[accidents["hrmn"] >= 0]
    days = pd.to_datetime({"year": timed["an"], "month": timed["mois"], "day": timed["jour"]}, errors="coerce")
    names = _categorical(days.dt.dayofweek.fillna(-1), WEEKDAYS)
    return _shares(timed, {"weekday": names, "hour": (timed["hrmn"] // 60).to_numpy()})


def priority_by_road_and_light(accidents: pd.DataFrame) -> pd.DataFrame:
    """Count accidents and compute the share of priority by road category and light.

    Args:
        accidents: `Accidents.accidents`.

    Returns:
        `road`, `light`, `n`, `share`.
    """
    road, light = TABLES[Table.LIEUX]["catr"].codes, TABLES[Table.CARACTERISTIQUES]["lum"].codes
    groups = {"road": _code_names(accidents["catr"], road), "light": _code_names(accidents["lum"], light)}
    return _shares(accidents, groups)


def priority_by_parties(accidents: Accidents) -> pd.DataFrame:
    """Count accidents and compute the share of priority by the lightest and the heaviest party.

    Vehicles of other or unknown categories do not count as parties.

    Returns:
        `lightest`, `heaviest` (`SINGLE_PARTY` where there is one party), `n`, `share`.
    """
    kind_of = {party: place for place, parties in enumerate(PARTY_KINDS.values()) for party in parties}
    categories = {code: kind_of[party] for code, party in PARTY_OF_CATV.items()}
    pedestrians = accidents.people.loc[accidents.people["catu"] == _PEDESTRIAN, "Num_Acc"]
    vehicles = accidents.vehicles[["Num_Acc"]].assign(kind=accidents.vehicles["catv"].map(categories))
    parties = pd.concat([vehicles, pd.DataFrame({"Num_Acc": pedestrians, "kind": 0})]).dropna()
    extremes = parties.groupby("Num_Acc")["kind"].agg(["min", "max", "size"]).astype(int)
    rows = accidents.accidents[accidents.accidents["Num_Acc"].isin(extremes.index)]
    names = [*PARTY_KINDS, SINGLE_PARTY]
    heaviest = np.where(extremes["size"] > 1, extremes["max"], len(PARTY_KINDS))
    groups = {"lightest": _categorical(extremes["min"], names[:-1]), "heaviest": _categorical(heaviest, names)}
    return _shares(rows, groups)


def missing_values(accidents: Accidents) -> pd.DataFrame:
    """Compute the share of missing values by column, without columns that the editions do not publish.

    Returns:
        `table`, `column`, `meaning`, `rows`, `share`.
    """
    main = accidents.accidents
    frames = dict(zip(Table, (main, main, accidents.vehicles, accidents.people), strict=True))
    years = sorted(set(accidents.accidents["an"]))
    rows = []
    for table, columns in TABLES.items():
        for name, column in columns.items():
            if column.kind is ColumnKind.ID or name not in frames[table] or not any(map(column.published_in, years)):
                continue
            values = frames[table][name]
            missing = values.isna() if column.kind in {ColumnKind.NUMBER, ColumnKind.TEXT} else values == MISSING
            rows.append((str(table), name, column.meaning, len(values), float(missing.mean())))
    return pd.DataFrame(rows, columns=["table", "column", "meaning", "rows", "share"])


def _code_names(codes: pd.Series, names: Mapping[int, str]) -> "pd.Categorical[str]":
    """Return the names of codes in the order of the codes, missing ones last."""
    positions = {code: position for position, code in enumerate(names)}
    return _categorical(codes.map(positions).fillna(len(names)), [*names.values(), NOT_RECORDED])


def _categorical(positions: "pd.Series | np.ndarray", names: Sequence[str]) -> "pd.Categorical[str]":
    """Return names by their position in `names`, whose order they keep; -1 is missing."""
    return pd.Categorical.from_codes(np.asarray(positions, dtype=np.int64), pd.Index(names))


def _shares(accidents: pd.DataFrame, groups: Mapping[str, object]) -> pd.DataFrame:
    """Count labelled accidents (`n`) and compute the `share` of priority in every non-empty group."""
    frame = pd.DataFrame({**groups, "label": accidents[LABEL].to_numpy()})
    labelled = frame[frame["label"] >= 0]
    return labelled.groupby(list(groups), observed=True)["label"].agg(n="size", share="mean").reset_index()
