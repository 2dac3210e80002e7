"""Invented names of roads, streets and addresses."""

import numpy as np

from accidents.sample.encoding import Codes

STREETS = (
    "Rue de l'Église",
    "Avenue de la République",
    "Rue Victor Hugo",
    "Boulevard des Alliés",
    "Route de Paris",
    "Rue du Moulin",
    "Allée des Tilleuls",
    "Place de la Mairie",
    "Chemin des Vignes",
    "Avenue du Général Leclerc",
    "Rue Pasteur",
    "Quai de la Gare",
    "Rue des Écoles",
    "Route de la Forêt",
    "Cours Gambetta",
    "Avenue Jean Jaurès",
    "Rue du Château",
    "Impasse du Lavoir",
    "Route du Grand Pont",
    "Rue des Peupliers",
)
UPPER_STREETS = (
    "EGLISE (RUE DE L')",
    "REPUBLIQUE (AVENUE DE LA)",
    "HUGO (RUE VICTOR)",
    "PARIS (ROUTE DE)",
    "MOULIN (RUE DU)",
    "MAIRIE (PLACE DE LA)",
    "LECLERC (AVENUE DU GENERAL)",
    "GARE (QUAI DE LA)",
    "ECOLES (RUE DES)",
    "GAMBETTA (COURS)",
    "TOUTES RUES",
)
ODD_ADDRESSES = ('Lieu-dit "les Étangs"', "Rue Neuve; face au 12", 'D12 - "Col du Moulin"')
"""Addresses that contain the separator and quotes."""

MISSING_TEXT = "N/A"
"""Marker of missing text in the files since 2019."""

_SHARE_NUMBERED = 0.3
_SHARE_ODD = 0.001
_HOUSE_NUMBERS = 200


def invent_addresses(catr: Codes, road: Codes, rng: np.random.Generator) -> np.ndarray:
    """Addresses: the road on motorways and trunk roads, else a street, sometimes with a number."""
    accidents = len(catr)
    streets = np.array(STREETS + UPPER_STREETS, dtype=object)[
        rng.integers(len(STREETS + UPPER_STREETS), size=accidents)
    ]
    numbered = rng.random(accidents) < _SHARE_NUMBERED
    numbers = rng.integers(1, _HOUSE_NUMBERS, size=accidents)
    streets[numbered] = [
        f"{number} {street}" for number, street in zip(numbers[numbered], streets[numbered], strict=True)
    ]
    result = np.where(catr <= 2, road_names(catr, road), streets)
    odd = rng.random(accidents) < _SHARE_ODD
    result[odd] = np.array(ODD_ADDRESSES, dtype=object)[rng.integers(len(ODD_ADDRESSES), size=int(odd.sum()))]
    result[rng.random(accidents) < 0.043] = MISSING_TEXT
    return result


def road_names(catr: Codes, road: Codes) -> np.ndarray:
    """Names such as `A86`, `RN 104` and `D438`."""
    prefixes = np.array(["", "A", "RN ", "D"], dtype=object)[np.where(catr <= 3, catr, 0)]
    return prefixes + road.astype(str).astype(object)


def invent_road_numbers(catr: Codes, road: Codes, rng: np.random.Generator) -> np.ndarray:
    """`voie`: a number on numbered roads, mostly, else a street in capitals or nothing."""
    accidents = len(catr)
    streets = np.array(UPPER_STREETS, dtype=object)[rng.integers(len(UPPER_STREETS), size=accidents)]
    numbered = rng.random(accidents) < np.where(catr <= 3, 0.75, 0.06)
    result = np.where(numbered, road.astype(str).astype(object), np.where(catr <= 3, road_names(catr, road), streets))
    result[rng.random(accidents) < np.where(catr <= 3, 0.03, 0.22)] = MISSING_TEXT
    return result
