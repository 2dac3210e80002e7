"""Cleaned accidents as requests in the nested form, the inverse of `parse_request`."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from accidents.columns import MISSING, Availability
from accidents.requests.rows import COLUMNS, RequestPart
from accidents.tables import Accidents

_MINUTES = 60
_EXCLUDED = ("num_veh", "id_usager")
"""Vehicles have `id_vehicule`: in published files two vehicles of an accident may share a `num_veh`."""


def to_requests(accidents: Accidents, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Convert accidents to the nested form, ready for JSON; `parse_request` of each gives the same features.

    Outcomes are left out, and so are missing texts; a code that is not recorded is -1, a number an empty text.

    Args:
        accidents: cleaned accidents.
        ids: `Num_Acc` of the accidents to convert, in the order of the result.

    Returns:
        One nested form for each id.

    Raises:
        KeyError: there is no such accident.
    """
    frames = (accidents.accidents, accidents.accidents, accidents.vehicles, accidents.people)
    records = {part: _records(rows, ids, part) for part, rows in zip(RequestPart, frames, strict=True)}
    single = (RequestPart.ACCIDENT, RequestPart.ROAD)
    return [
        {part.value: rows[accident_id][0] if part in single else rows[accident_id] for part, rows in records.items()}
        for accident_id in ids
    ]


def _records(rows: pd.DataFrame, ids: Sequence[int], part: RequestPart) -> dict[int, list[dict[str, Any]]]:
    """Rows by accident id, each as a mapping of the columns of a part to their values."""
    names = [
        name
        for name, column in COLUMNS[part].items()
        if column.availability is not Availability.AFTER and name in rows and name not in _EXCLUDED
    ]
    selected = rows[rows["Num_Acc"].isin(ids)]
    records: dict[int, list[dict[str, Any]]] = {}
    for accident_id, row in zip(selected["Num_Acc"].tolist(), selected[names].to_dict("records"), strict=True):
        record = {str(name): _json_value(part, str(name), value) for name, value in row.items() if value is not None}
        records.setdefault(accident_id, []).append(record)
    return records


def _json_value(part: RequestPart, name: str, value: Any) -> Any:
    """A value as it is published: times as text, letters for the codes that have them."""
    if value == MISSING:
        return MISSING
    if pd.isna(value):
        return ""
    if name == "hrmn":
        return f"{value // _MINUTES:02d}:{value % _MINUTES:02d}"
    letters = {code: letter for letter, code in COLUMNS[part][name].letter_codes.items()}
    return letters.get(value, value)
