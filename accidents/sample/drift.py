"""How the distributions of a synthetic year differ from those of 2024, in which they were counted.

Weights multiply the probabilities of some values; a weight of 1.2 gives a value 1.2 times its odds. What decides the
injuries of an accident is the same in every year.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from accidents.sample.encoding import MAX_VEHICLES, VEHICLE_KINDS
from accidents.sample.probability_tables import domains

REFERENCE_YEAR = 2024
"""The year of the counts, which has no weights."""

YEARLY_FACTORS: Mapping[str, float] = {"personal device": 1.2, "bicycle": 1.04, "moped": 0.95}
"""Yearly growth of the odds of kinds of vehicles: e-scooters and bicycles become more frequent, mopeds rarer."""

YEARLY_TRAFFIC_FACTOR = 1.015
"""Yearly growth of the odds of every further vehicle in an accident: traffic becomes denser."""

YEARLY_AGEING_FACTOR = 1.0006
"""Yearly growth of the odds of each further year of age: people become 0.2 years older a year."""

MONTHLY_TRAFFIC_DEVIATION = 0.06
"""Standard deviation of the logarithm of the traffic of a month, which is drawn for every month of every year."""


def drift_weights(year: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Weights of the values of every variable that drifts, by variable; none in the reference year.

    Args:
        year: year of the edition.
        rng: random number generator for the traffic of the months.
    """
    years = year - REFERENCE_YEAR
    if not years:
        return {}
    age = np.maximum(np.array(domains()["age"], dtype=float), 0)
    return {
        "kind": np.array([YEARLY_FACTORS.get(kind, 1.0) ** years for kind in VEHICLE_KINDS]),
        "vehicles": YEARLY_TRAFFIC_FACTOR ** (years * np.arange(MAX_VEHICLES)),
        "age": YEARLY_AGEING_FACTOR ** (years * age),
        "month": np.exp(rng.normal(0, MONTHLY_TRAFFIC_DEVIATION, 12)),
    }
