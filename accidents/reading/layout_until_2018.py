"""What the layout of 2005 to 2018 leaves out and can be worked out: vehicle ids, whole commune codes, safety equipment.

All functions work on typed columns of whole tables.
"""

import re

import numpy as np
import pandas as pd

from accidents.columns import MISSING

# An accident id has 12 digits and a vehicle number at most three letters and three digits: both fit one int64.
_PLACES = 20_000_000
_LETTERS = 27
_NUMBER = re.compile("([A-Z]{1,3})([0-9]{1,3})")

_OVERSEAS_LENGTH = 3
# Until 2018 `secu` holds the equipment and whether it was used: 1 yes, 2 no, 3 cannot be told.
_USED, _NOT_USED, _NOT_TOLD = "123"
_NONE, _CANNOT_BE_TOLD = 0, 8
_SAME_EQUIPMENT = {"1": 1, "2": 2, "3": 3, "4": 4, "9": 9}


def vehicle_ids(accidents: np.ndarray, numbers: pd.Series) -> np.ndarray:
    """Ids of vehicles, unique for each pair of `Num_Acc` and `num_veh`.

    The id depends on that pair alone, so vehicles and their people get the same one in any order of rows. Numbers that
    differ in zeros in front alone are one vehicle.

    Args:
        accidents: int64 `Num_Acc`.
        numbers: `num_veh`, such as `A01`.

    Returns:
        int64; -1 where either part is missing.
    """
    codes, distinct = pd.factorize(numbers)
    places = np.array([*(_place(number) for number in distinct), MISSING], dtype=np.int64)[codes]
    return np.where((places == MISSING) | (accidents == MISSING), MISSING, accidents * _PLACES + places)


def _place(number: str) -> int:
    found = _NUMBER.fullmatch(number)
    if not found:
        return MISSING
    letters = 0
    for letter in found[1]:
        letters = letters * _LETTERS + ord(letter) - ord("A") + 1
    return letters * 1000 + int(found[2])


def whole_communes(departments: pd.Series, communes: pd.Series) -> pd.Series:
    """INSEE codes of five characters: the department, then the last three digits (overseas the last two).

    The commune is missing where its department is.
    """
    overseas = departments.str.len() == _OVERSEAS_LENGTH
    return departments + communes.where(~overseas, communes.str[-2:])


def equipment(secu: pd.Series) -> np.ndarray:
    """Codes of `secu1` (int16) that the two digits of `secu` amount to.

    Equipment in use keeps its code (belt, helmet, child seat, high-visibility, other); equipment not in use is 0,
    "none"; where use cannot be told the code is 8; anything else is missing.
    """
    codes, distinct = pd.factorize(secu)
    return np.array([*(_used(text) for text in distinct), MISSING], dtype=np.int16)[codes]


def _used(text: str) -> int:
    padded = text.zfill(2)
    what, used = padded[0], padded[1]
    if what not in _SAME_EQUIPMENT:
        return MISSING
    return {_USED: _SAME_EQUIPMENT[what], _NOT_USED: _NONE, _NOT_TOLD: _CANNOT_BE_TOLD}.get(used, MISSING)
