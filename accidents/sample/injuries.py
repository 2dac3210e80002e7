"""Samples the injuries of people given all other variables of an accident.

The log odds of an accident being priority are a sum of scores, a table of them for each group of variables in
`FACTORS`. They were fitted so that synthetic accidents of a combination are as often priority as the real ones. The
injuries of a priority accident are then sampled person by person, by role and vehicle.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accidents.sample import encoding
from accidents.sample.bayesian_network import INJURY
from accidents.sample.encoding import CodedFrame, Codes
from accidents.sample.probability_tables import SCORES, ConditionalProbabilityTable, combination_index, domains

_CONSTANT = -1

FACTORS: tuple[tuple[str, ...], ...] = (
    ("dep", "agg"),
    ("dep", "exposure"),
    ("cell",),
    ("com",),
    ("police", "dep"),
    ("agg", "vma", "exposure"),
    ("catr", "agg", "exposure"),
    ("exposure", "strong", "agg"),
    ("exposure", "col", "agg"),
    ("exposure", "victim_band", "strong"),
    ("exposure", "victim_sexe"),
    ("vehicles", "people"),
    ("obstacle", "vma"),
    ("obstacle", "exposure"),
    ("lum", "agg", "exposure"),
    ("hour", "exposure"),
    ("weekday", "hour_band"),
    ("month",),
    ("int", "col"),
    ("plan", "agg", "exposure"),
    ("surf", "exposure"),
    ("atm", "agg"),
    ("prof", "plan"),
    ("circ", "catr"),
    ("nbv", "agg"),
    ("situ", "exposure"),
    ("infra",),
    ("vosp",),
    ("first_manv", "exposure"),
    ("second_manv", "exposure"),
    ("first_choc", "second_choc", "col"),
    ("first_manv", "second_manv"),
    ("eldest", "vma"),
    ("youngest_driver", "unprotected", "vma"),
    ("fled", "exposure"),
)
"""Groups of variables with a table of scores each."""


def injury_features(accident: CodedFrame, vehicle: CodedFrame, person: CodedFrame, no_equipment: int) -> CodedFrame:
    """Derive the variables of accidents that the scores depend on from their vehicles and people.

    Args:
        accident: coded accidents.
        vehicle: coded vehicles, sorted by `owner`, the row of their accident.
        person: coded people, likewise.
        no_equipment: code of "none" in `secu1`.
    """
    accidents = len(accident["dep"])
    owner, band = person["owner"], person["band"]
    exposure = encoding.exposure(person["role"], person["kind"])
    # The most exposed person of an accident, the eldest of several.
    order = np.lexsort((-person["age"], exposure, owner))
    most_exposed = np.full(accidents, -1)
    first = encoding.position_within(owner[order]) == 0
    most_exposed[owner[order][first]] = order[first]
    anybody = most_exposed >= 0
    known = band != encoding.UNKNOWN_AGE
    driving = known & (person["role"] == encoding.DRIVER)
    eldest = _largest(owner[known], band[known], accidents, none=-1)
    youngest = -_largest(owner[driving], -band[driving], accidents, none=-encoding.UNKNOWN_AGE)
    facts = {
        **accident,
        "exposure": np.where(anybody, exposure[most_exposed], encoding.NO_KIND + 1),
        "victim_band": np.where(anybody, person["band"][most_exposed], encoding.UNKNOWN_AGE),
        "victim_sexe": np.where(anybody, person["sexe"][most_exposed], 0),
        "people": np.bincount(owner, minlength=accidents).clip(max=encoding.CONDITION_SIZES["people"] - 1),
        "eldest": np.where(eldest < 0, encoding.UNKNOWN_AGE, eldest),
        "youngest_driver": youngest,
        "unprotected": _largest(owner, encoding.without_equipment(person, no_equipment), accidents),
        "obstacle": _largest(vehicle["owner"], vehicle["obs"], accidents),
        "fled": _largest(vehicle["owner"], vehicle["fled"], accidents),
    }
    for rank, place in enumerate(("first", "second")):
        rows = vehicle["position"] == rank
        for name in ("manv", "choc"):
            values = np.full(accidents, encoding.CONDITION_SIZES[f"{place}_{name}"] - 1)
            values[vehicle["owner"][rows]] = vehicle[name][rows]
            facts[f"{place}_{name}"] = values
    return facts


def _largest(owner: Codes, values: Codes, accidents: int, none: int = 0) -> Codes:
    """The largest value of every accident, at least `none`."""
    result = np.full(accidents, none)
    np.maximum.at(result, owner, values)
    return result


@cache
def scores() -> tuple[float, list[NDArray[np.float64]]]:
    """The constant, and a table of scores by combination for every factor."""
    size = encoding.domain_sizes(domains())
    frame = pd.read_parquet(SCORES)
    result = []
    for number, factor in enumerate(FACTORS):
        table = np.zeros(int(np.prod([size[name] for name in factor])))
        rows = frame[frame["factor"] == number]
        table[rows["combination"]] = rows["score"]
        result.append(table)
    return float(frame.loc[frame["factor"] == _CONSTANT, "score"].iloc[0]), result


def log_odds(facts: CodedFrame) -> NDArray[np.float64]:
    """Log odds of being priority, of each accident, given the frame of `injury_features`."""
    size = encoding.domain_sizes(domains())
    constant, by_factor = scores()
    result = np.full(len(facts["dep"]), constant)
    for factor, table in zip(FACTORS, by_factor, strict=True):
        result += table[
            combination_index([facts[name] for name in factor], [size[name] for name in factor], len(result))
        ]
    return result


def sample_injuries(
    facts: CodedFrame,
    person: CodedFrame,
    distribution: Callable[[str], ConditionalProbabilityTable],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Sample the injury (`grav`) of every person; those who fled are unhurt.

    In a priority accident at least one person is killed or hospitalised, in every other one at least one is slightly
    injured.

    Args:
        facts: from `injury_features`.
        person: coded people.
        distribution: returns the probability table of a variable.
        rng: random number generator.
    """
    owner, staying = person["owner"], person["fled"] == 0
    priority = rng.random(len(facts["dep"])) < 1 / (1 + np.exp(-log_odds(facts)))
    hit = {**person, "exposure": facts["exposure"][owner], "priority": priority[owner].astype(np.int64)}

    def probability(name: str) -> NDArray[np.float64]:
        return distribution(name).probability_of_one([hit[parent] for parent in INJURY[name]])

    def victims(among: NDArray[np.bool_], name: str) -> NDArray[np.bool_]:
        """One victim in every accident, sampled by odds (Gumbel-max), and more by chance."""
        rows = np.flatnonzero(among & staying)
        odds = probability(name)[rows]
        scores = np.log(odds / (1 - odds)) + rng.gumbel(size=len(rows))
        order = rows[np.lexsort((-scores, owner[rows]))]
        struck = np.zeros(len(owner), dtype=bool)
        struck[order[encoding.position_within(owner[order]) == 0]] = True
        struck[rows] |= rng.random(len(rows)) < probability(f"also_{name}")[rows]
        return struck

    severe = victims(priority[owner], "severe")
    slight = victims(~priority[owner], "slight")
    slight |= priority[owner] & staying & (rng.random(len(owner)) < probability("also_slight"))
    killed = severe & (rng.random(len(owner)) < probability("killed"))
    return np.select([killed, severe, slight], [2, 3, 4], 1)
