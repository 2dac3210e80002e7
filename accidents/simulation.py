"""Simulated traffic: labelled accidents as requests in random order, unchanged or with a drift."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from accidents.columns import MISSING
from accidents.errors import DataError
from accidents.requests.serialisation import to_requests
from accidents.tables import LABEL, Accidents

SUMMER = (7, 8, 9)
"""Months of the drift `season`."""

NEW_KIND, NEW_KIND_SHARE = 35, 0.03
"""Drift `vehicle`: this share of the vehicles becomes light quads, of which the sample has none."""

DRIFTING_DEPARTMENTS, LABEL_FACTOR = 10, 1.5
"""Drift `labels`: the share of priority accidents is multiplied in as many departments, those with most accidents."""

CALLERS, FORGOTTEN_SHARE = "callers", 0.5
"""Drift `callers`: share of the recorded values that callers do not know."""

_BLOCK = 500
_NEVER_FORGOTTEN = ("Num_Acc", "id_vehicule", "id_usager", "num_veh")
"""Ids, which hold the rows of an accident together."""


@dataclass(frozen=True)
class LabelledRequest:
    """An accident in the nested form, and its label: 1 priority, 0 not."""

    content: dict[str, Any]
    priority: int


def labelled_requests(accidents: Accidents, drift: str, rng: np.random.Generator) -> Iterator[LabelledRequest]:
    """Accidents with a label in random order without end; each occurs once before any occurs again.

    Args:
        accidents: cleaned accidents.
        drift: a key of `DRIFTS`.
        rng: random number generator.

    Raises:
        DataError: no accident has a label, or, with the drift `season`, happened in summer.
    """
    drifted = DRIFTS[drift](accidents, rng)
    frame = drifted.accidents
    ids = frame["Num_Acc"].to_numpy()[frame[LABEL].to_numpy() != MISSING]
    if not len(ids):
        raise DataError(f"The source has no accidents with a label{' in July to September' * (drift == 'season')}.")
    labels = dict(zip(frame["Num_Acc"].tolist(), frame[LABEL].tolist(), strict=True))
    requests = _endless(drifted, ids, labels, rng)
    if drift != CALLERS:
        return requests
    return (LabelledRequest(_forget(one.content, rng), one.priority) for one in requests)


def _endless(
    accidents: Accidents, ids: np.ndarray, labels: Mapping[int, int], rng: np.random.Generator
) -> Iterator[LabelledRequest]:
    while True:
        order = rng.permutation(ids).tolist()
        for start in range(0, len(order), _BLOCK):
            block = order[start : start + _BLOCK]
            for number, content in zip(block, to_requests(accidents, block), strict=True):
                yield LabelledRequest(content, labels[number])


def _unchanged(accidents: Accidents, _: np.random.Generator) -> Accidents:
    """No drift."""
    return accidents


def _season(accidents: Accidents, _: np.random.Generator) -> Accidents:
    """Accidents of the summer alone. A season is no drift: monitoring has to stay silent."""
    ids = accidents.accidents.loc[accidents.accidents["mois"].isin(SUMMER), "Num_Acc"]
    frames = (accidents.accidents, accidents.vehicles, accidents.people)
    return Accidents(*(frame[frame["Num_Acc"].isin(ids)] for frame in frames))


def _vehicle(accidents: Accidents, rng: np.random.Generator) -> Accidents:
    """A kind of vehicle appears that the model has not seen."""
    kinds = accidents.vehicles["catv"]
    return replace(
        accidents,
        vehicles=accidents.vehicles.assign(catv=kinds.mask(rng.random(len(kinds)) < NEW_KIND_SHARE, NEW_KIND)),
    )


def _labels(accidents: Accidents, rng: np.random.Generator) -> Accidents:
    """In some departments the police record more people as hospitalised. Only outcomes can show it."""
    rows, labels = accidents.accidents, accidents.accidents[LABEL]
    chances = np.zeros(len(rows))
    labelled = labels != MISSING
    for department in rows["dep"].value_counts().index[:DRIFTING_DEPARTMENTS]:
        inside = (labelled & (rows["dep"] == department)).to_numpy()
        rate = (labels[inside] == 1).mean()
        if rate < 1:
            chances[inside] = (min(LABEL_FACTOR * rate, 1) - rate) / (1 - rate)
    raised = (labels == 0) & (rng.random(len(rows)) < chances)
    return replace(accidents, accidents=rows.assign(**{LABEL: labels.mask(raised, 1)}))


DRIFTS: Mapping[str, Callable[[Accidents, np.random.Generator], Accidents]] = {
    "none": _unchanged,
    "season": _season,
    "vehicle": _vehicle,
    "labels": _labels,
    CALLERS: _unchanged,
}
"""Changes of the accidents by name; `callers` changes the requests instead."""


def _forget(content: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Callers know half as much: every value, but for ids, is left out with the same probability."""

    def known(part: dict[str, Any]) -> dict[str, Any]:
        kept = rng.random(len(part)) >= FORGOTTEN_SHARE
        return {name: part[name] for name, keep in zip(part, kept, strict=True) if keep or name in _NEVER_FORGOTTEN}

    return {
        name: [known(row) for row in part] if isinstance(part, list) else known(part) for name, part in content.items()
    }
