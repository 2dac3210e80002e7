"""Columns that say how much of an accident is known; a part of the catalogue."""

from functools import cache

from accidents.columns import LEVELS
from accidents.features.array_columns import Entity
from accidents.features.specification import Known

KNOWN: tuple[Known, ...] = (
    Known("known_time", "date and time", Entity.ACCIDENT, ("jour", "mois", "an", "hrmn")),
    Known("known_conditions", "light, weather and surface", Entity.ACCIDENT, ("lum", "atm", "surf")),
    Known("known_built_up", "built-up area", Entity.ACCIDENT, ("agg",)),
    Known("known_collision", "junction and collision", Entity.ACCIDENT, ("int", "col")),
    Known("known_road", "road category and speed limit", Entity.ACCIDENT, ("catr", "vma")),
    Known("known_road_form", "layout of the road", Entity.ACCIDENT,
          ("circ", "nbv", "vosp", "prof", "plan", "infra", "situ")),
    Known("known_kinds", "kinds of the vehicles", Entity.VEHICLES, ("catv",)),
    Known("known_vehicles", "manoeuvres, impacts and obstacles", Entity.VEHICLES, ("obs", "obsm", "choc", "manv")),
    Known("known_roles", "roles of the people", Entity.PEOPLE, ("catu",)),
    Known("known_people", "age, sex and seats", Entity.PEOPLE, ("place", "sexe", "an_nais")),
    Known("known_equipment", "safety equipment and trips", Entity.PEOPLE, ("trajet", "secu1")),
    Known("known_department", "department", Entity.ACCIDENT, ("given_dep",)),
    Known("known_commune", "commune", Entity.ACCIDENT, ("given_com",)),
    Known("known_position", "coordinates", Entity.ACCIDENT, ("given_position",)),
)  # fmt: skip
"""Features that count unknown fields, in order."""

KNOWN_PLACES = ("known_department", "known_commune", "known_position")
"""Columns that say what is known of the place."""


@cache
def knowledge_names(level: str, geography: bool = True) -> tuple[str, ...]:
    """Names of the columns that say how much is known of the inputs of a model of `level`."""
    latest = LEVELS.index(level)
    known = [feature for feature in KNOWN if feature.availability <= latest]
    return tuple(feature.name for feature in known if geography or feature.name not in KNOWN_PLACES)
