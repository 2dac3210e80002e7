"""Reproduction of a logged prediction: the stored accident is predicted again, and the probabilities are compared.

A log that minimises data keeps the place to about a kilometre and no street name, so that an answer can depend on more
than is stored. The places within the rounding give a range of probabilities then, in which the logged one should lie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from accidents.bundle import Bundle
from accidents.errors import ModelError
from accidents.inference.smoke_test import TOLERANCE
from accidents.requests import InvalidRequestError, parse_batch, parse_request
from accidents.requests.nested import NESTED_PARTS
from accidents.requests.rows import RequestPart

IDENTICAL, CONSISTENT, UNDECIDED, DIFFERENT = "identical", "consistent", "undecided", "different"
_GRID = 11
"""Places a side of the square that a rounded place stands for."""


@dataclass(frozen=True)
class Reproduction:
    """A prediction that was made again.

    Attributes:
        probability: of the stored accident, now.
        low: the least probability of the places that the stored one may stand for.
        high: the greatest.
        verdict: `identical`, to 1e-9; `consistent`, within the range of a rounded place; `undecided`, outside that
            range, which something that is not stored may explain; `different`, although all is stored.
    """

    probability: float
    low: float
    high: float
    verdict: str


def answered_accident(content: Mapping[str, Any], derived: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The accident for which a model answered: what was sent, with the facts that were derived from it.

    Args:
        content: the accident in the nested or the flat form.
        derived: derived facts, each with `field`, such as `accident.lum`, and `value`.

    Example:
        >>> answered_accident({"dep": "59"}, [{"field": "accident.lum", "value": 5}])
        {'dep': '59', 'lum': 5}
    """
    values = {str(fact["field"]).rpartition(".")[2]: fact["value"] for fact in derived}
    if content.keys().isdisjoint(NESTED_PARTS):
        return {**content, **values}
    return {**content, RequestPart.ACCIDENT.value: {**content.get(RequestPart.ACCIDENT, {}), **values}}


def reproduce(
    bundle: Bundle, accident: Mapping[str, Any], logged: float, *, complete: bool, rounding: float = 0.0
) -> Reproduction:
    """Predict a logged accident again.

    Args:
        bundle: the model that made the prediction.
        accident: `answered_accident` of what was stored.
        logged: the probability that was logged.
        complete: whether all that the model has seen is stored, besides the digits of coordinates.
        rounding: degrees to which coordinates were rounded; 0 where they are those of the request.

    Raises:
        ModelError: the accident is invalid for this version of the project.
    """
    try:
        arrays = parse_request(accident).arrays
    except InvalidRequestError as error:
        raise ModelError(f"the stored accident is invalid for this version of the project: {error}") from None
    probability = float(bundle.predict(arrays)[0])
    if abs(probability - logged) <= TOLERANCE:
        return Reproduction(probability, probability, probability, IDENTICAL)
    places = _places(accident, rounding) if rounding and bundle.geography else []
    probabilities = [probability, *bundle.predict(parse_batch(places).arrays)] if places else [probability]
    low, high = float(min(probabilities)), float(max(probabilities))
    if low - TOLERANCE <= logged <= high + TOLERANCE:
        return Reproduction(probability, low, high, CONSISTENT)
    return Reproduction(probability, low, high, DIFFERENT if complete else UNDECIDED)


def _places(accident: Mapping[str, Any], rounding: float) -> list[dict[str, Any]]:
    """The accident at every place of a grid over the square that its rounded coordinates stand for."""
    flat = accident.keys().isdisjoint(NESTED_PARTS)
    own = accident if flat else accident[RequestPart.ACCIDENT]
    latitude, longitude = own.get("lat"), own.get("long")
    if not isinstance(latitude, float) or not isinstance(longitude, float):
        return []
    steps = np.linspace(-rounding / 2, rounding / 2, _GRID).tolist()
    places = [{"lat": latitude + north, "long": longitude + east} for north in steps for east in steps]
    if flat:
        return [{**accident, **place} for place in places]
    return [{**accident, RequestPart.ACCIDENT.value: {**own, **place}} for place in places]
