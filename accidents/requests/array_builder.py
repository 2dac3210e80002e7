"""Builds `Arrays` from typed rows, one accident after the other."""

import math
from array import array

import numpy as np

from accidents.columns import UNKNOWN
from accidents.features.array_columns import ARRAY_COLUMNS, Entity
from accidents.features.arrays import UNKNOWN_POSITION, Arrays
from accidents.features.cells import insee_number, road_number
from accidents.requests.rows import POSITIONS, AccidentRows

_WIDTH = {over: len(fields) for over, fields in ARRAY_COLUMNS.items()}
_ACCIDENT, _VEHICLE, _PERSON = (_WIDTH[over] for over in (Entity.ACCIDENT, Entity.VEHICLES, Entity.PEOPLE))
_DEP, _COM, _VOIE, _LAT, _LONG = (POSITIONS[Entity.ACCIDENT][name] for name in ("dep", "com", "voie", "lat", "long"))


class ArrayBuilder:
    """Growing typed buffers of accidents, converted to `Arrays` without a copy."""

    def __init__(self) -> None:
        self.accident, self.vehicles, self.people = array("h"), array("h"), array("h")
        self.vehicle_starts, self.person_starts = array("q", [0]), array("q", [0])
        self.vehicle_ids, self.person_vehicle_ids = array("q"), array("q")
        self.coordinates = array("d")
        self.places = array("q")

    @property
    def rows(self) -> int:
        """Number of vehicles and people so far."""
        return len(self.vehicle_ids) + len(self.person_vehicle_ids)

    def append(self, rows: AccidentRows) -> None:
        """Append an accident."""
        row = rows.accident
        self.accident.extend(row[:_ACCIDENT])
        position = (row[_LAT], row[_LONG])
        self.coordinates.extend(UNKNOWN_POSITION if any(map(math.isinf, position)) else position)
        places = (UNKNOWN if row[name] is None else insee_number(row[name]) for name in (_DEP, _COM))
        self.places.extend((*places, road_number(row[_VOIE])))
        for vehicle in rows.vehicles:
            self.vehicles.extend(vehicle[:_VEHICLE])
        for person in rows.people:
            self.people.extend(person[:_PERSON])
        self.vehicle_ids.extend(range(len(rows.vehicles)))
        self.person_vehicle_ids.extend(rows.vehicle_of_person)
        self.vehicle_starts.append(len(self.vehicle_ids))
        self.person_starts.append(len(self.person_vehicle_ids))

    def build(self) -> Arrays:
        """Arrays of all accidents in order; they share the memory of the buffers, so append nothing afterwards."""
        return Arrays(
            accident=np.frombuffer(self.accident, np.int16).reshape(-1, _ACCIDENT),
            vehicles=np.frombuffer(self.vehicles, np.int16).reshape(-1, _VEHICLE),
            people=np.frombuffer(self.people, np.int16).reshape(-1, _PERSON),
            vehicle_starts=np.frombuffer(self.vehicle_starts, np.int64),
            person_starts=np.frombuffer(self.person_starts, np.int64),
            vehicle_ids=np.frombuffer(self.vehicle_ids, np.int64),
            person_vehicle_ids=np.frombuffer(self.person_vehicle_ids, np.int64),
            coordinates=np.frombuffer(self.coordinates, np.float64).reshape(-1, 2),
            places=np.frombuffer(self.places, np.int64).reshape(-1, 3),
        )
