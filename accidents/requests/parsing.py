"""From a JSON object to a request: the form, the rules that take several fields, the arrays."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from accidents.columns import MISSING
from accidents.features.arrays import Arrays
from accidents.features.keys import code_of_road, code_of_text
from accidents.features.layout import FIELDS, PUBLISHED, Over
from accidents.requests import flat, nested
from accidents.requests.form import Form, Row
from accidents.requests.problems import RefusedError
from accidents.requests.reader import Reader
from accidents.requests.request import Request

_LEAP_YEAR = 2024


def parse(content: Any) -> Request:
    """Read one accident in the nested or the flat form, as `json.loads` gives it.

    Raises:
        RefusedError: a `RequestError` that lists every field with a fault, its value and what is allowed.
    """
    reader = Reader()
    if not isinstance(content, Mapping) or not content:
        reader.refuse(
            "request", content, "must be an object: an accident with road, vehicles, people, or the flat form"
        )
        raise RefusedError(reader.problems)
    form = nested.read(content, reader) if content.keys() & nested.PARTS else flat.read(content, reader)
    _check_dates(form, reader)
    _check_places(form.accident, reader)
    if reader.problems:
        raise RefusedError(reader.problems)
    accident = form.accident["Num_Acc"]
    return Request(_arrays(form), reader.missing, tuple(reader.warnings), None if accident == MISSING else accident)


def _check_dates(form: Form, reader: Reader) -> None:
    day, month, year = (form.accident[name] for name in ("jour", "mois", "an"))
    if MISSING not in {day, month}:
        try:
            date(_LEAP_YEAR if year == MISSING else year, month, day)
        except ValueError:
            reader.refuse("jour, mois, an", f"{day}/{month}/{year}", "this day does not exist")
    if year == MISSING:
        return
    for number, (person, _) in enumerate(form.people):
        if person["an_nais"] > year:
            field = "an_nais" if form.flat else f"people[{number}].an_nais"
            reader.refuse(field, person["an_nais"], f"after the accident, which was in {year}")


def _check_places(accident: Row, reader: Reader) -> None:
    """Treat coordinates as the cleaning of files does, and say so."""
    department, commune, latitude, longitude = (accident[name] for name in ("dep", "com", "lat", "long"))
    if department and commune and not commune.startswith(department[:2]):
        reader.warn(f"commune {commune} is not in department {department}")
    if math.isnan(latitude) and math.isnan(longitude):
        return
    from accidents.cleaning import coordinates

    south, north, west, east = coordinates.department_boxes().get(department, (math.nan,) * 4)
    if south <= latitude <= north and west <= longitude <= east:
        return
    import pandas as pd

    mended = coordinates.mend(pd.Series([department], dtype="str"), np.array([latitude]), np.array([longitude]))
    accident["lat"], accident["long"] = float(mended.latitude[0]), float(mended.longitude[0])
    for what, text in (
        (mended.mended, f"taken as {accident['lat']:g}, {accident['long']:g}: swapped or of the wrong sign"),
        (mended.outside, f"far from department {department}, and ignored"),
        (mended.half, "one without the other, and ignored"),
    ):
        if what[0]:
            reader.warn(f"coordinates {latitude:g}, {longitude:g} are {text}")


def _arrays(form: Form) -> Arrays:
    accident = form.accident
    return Arrays(
        accident=_codes([accident], Over.ACCIDENT),
        vehicles=_codes(form.vehicles, Over.VEHICLES),
        people=_codes([person for person, _ in form.people], Over.PEOPLE),
        vehicle_starts=np.array([0, len(form.vehicles)]),
        person_starts=np.array([0, len(form.people)]),
        vehicle_ids=np.arange(len(form.vehicles)),
        person_vehicle_ids=np.array([vehicle for _, vehicle in form.people]),
        coordinates=np.array([[accident["lat"], accident["long"]]]),
        places=np.array(
            [[code_of_text(accident["dep"]), code_of_text(accident["com"]), code_of_road(accident["voie"])]]
        ),
    )


def _codes(rows: Sequence[Row], over: Over) -> Any:
    codes = np.full((len(rows), len(FIELDS[over])), MISSING, dtype=np.int16)
    codes[:, : len(PUBLISHED[over])] = [[row[name] for name in PUBLISHED[over]] for row in rows]
    return codes
