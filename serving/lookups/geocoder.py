"""Places by address, from a geocoder that speaks the API of the Base Adresse Nationale (addok): `/search/?q=…`."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from accidents.columns import TABLES, Table
from accidents.requests.derived_facts import Place
from serving.lookups.client import ServiceFailedError, get_json

MAX_PLACES = 10
_LONGEST_ADDRESS = 200  # the API refuses longer ones
_COMMUNE = TABLES[Table.CARACTERISTIQUES]["com"].pattern


class _Geometry(BaseModel):
    coordinates: tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]


class _Properties(BaseModel):
    label: str = Field(max_length=500)
    score: float = Field(ge=0, le=1)
    citycode: str = Field(pattern=f"^({_COMMUNE})$")


class _Feature(BaseModel):
    geometry: _Geometry
    properties: _Properties


def search_places(
    url: str, address: str, commune: str | None, limit: int, seconds: float
) -> tuple[tuple[Place, float], ...]:
    """Places of an address with their scores, 0 to 1, the best first.

    Args:
        url: address of the search of the geocoder.
        address: free text.
        commune: INSEE code; only places in it are searched. None for all.
        limit: greatest number of places.
        seconds: time for the answer.

    Raises:
        ServiceFailedError: the geocoder does not answer, or not as its API says.
    """
    parameters: dict[str, str | int | float] = {"q": address[:_LONGEST_ADDRESS], "limit": limit}
    content = get_json(url, parameters | ({"citycode": commune} if commune else {}), seconds)
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        raise ServiceFailedError("the answer of the geocoder is no GeoJSON of places")
    return tuple(place for feature in features[:MAX_PLACES] if (place := _place(feature)))


def _place(feature: Any) -> tuple[Place, float] | None:
    """A place of the answer; None for one without coordinates or commune, such as a region."""
    try:
        found = _Feature.model_validate(feature)
    except ValidationError:
        return None
    longitude, latitude = found.geometry.coordinates
    label = "".join(character if character.isprintable() else " " for character in found.properties.label)
    return Place(latitude, longitude, found.properties.citycode, label), found.properties.score
