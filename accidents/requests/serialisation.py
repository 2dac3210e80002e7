"""Cleaned accidents as requests in the nested form: the way back from frames to what a caller would send."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from accidents.columns import MISSING, Availability
from accidents.requests.rows import COLUMNS, RequestPart
from accidents.tables import Accidents

_MINUTES = 60
_LEFT_OUT = ("num_veh", "id_usager")
"""Vehicles are told apart by `id_vehicule`: in published files two of one accident may share a `num_veh`."""


def to_requests(accidents: Accidents, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Some accidents in the nested form, ready for JSON; reading them with `parse` gives the same features.

    What is not recorded is left out, and so is what is known only afterwards.

    Args:
        accidents: cleaned accidents.
        ids: `Num_Acc` of those wanted, in the wanted order.

    Raises:
        KeyError: there is no such accident.
    """
    own = _said(accidents.accidents, ids, RequestPart.ACCIDENT)
    road = _said(accidents.accidents, ids, RequestPart.ROAD)
    vehicles = _said(accidents.vehicles, ids, RequestPart.VEHICLES)
    people = _said(accidents.people, ids, RequestPart.PEOPLE)
    return [
        {
            RequestPart.ACCIDENT.value: own[number][0],
            RequestPart.ROAD.value: road[number][0],
            RequestPart.VEHICLES.value: vehicles[number],
            RequestPart.PEOPLE.value: people[number],
        }
        for number in ids
    ]


def _said(rows: pd.DataFrame, ids: Sequence[int], part: RequestPart) -> dict[int, list[dict[str, Any]]]:
    """What the rows of each accident say under the columns of a part."""
    names = [
        name
        for name, column in COLUMNS[part].items()
        if column.availability is not Availability.AFTER and name in rows and name not in _LEFT_OUT
    ]
    chosen = rows[rows["Num_Acc"].isin(ids)]
    found: dict[int, list[dict[str, Any]]] = {}
    for number, row in zip(chosen["Num_Acc"].tolist(), chosen[names].to_dict("records"), strict=True):
        said = {str(name): _value(part, str(name), value) for name, value in row.items() if not _absent(value)}
        found.setdefault(number, []).append(said)
    return found


def _absent(value: Any) -> bool:
    return bool(pd.isna(value)) or value == MISSING


def _value(part: RequestPart, name: str, value: Any) -> Any:
    """A value as it is published: times of day as texts, and letters where codes are letters."""
    if name == "hrmn":
        return f"{value // _MINUTES:02d}:{value % _MINUTES:02d}"
    letters = {code: letter for letter, code in COLUMNS[part][name].letter_codes.items()}
    return letters.get(value, value)
