"""Derives what the layout of 2005 to 2018 lacks: vehicle ids, full commune codes, safety equipment."""

import re

import numpy as np
import pandas as pd

from accidents.columns import MISSING

# An accident id has 12 digits and a vehicle number at most three letters and three digits: both fit one int64.
_VEHICLES_PER_ACCIDENT = 20_000_000
_LETTERS = 27
_NUMBER = re.compile("([A-Z]{1,3})([0-9]{1,3})")

_OVERSEAS_LENGTH = 3
# Until 2018 `secu` is the equipment, then its use: 1 used, 2 not used, 3 undetermined.
_USED, _NOT_USED, _USE_UNKNOWN = "123"
_NONE, _UNDETERMINED = 0, 8
_SAME_EQUIPMENT = {"1": 1, "2": 2, "3": 3, "4": 4, "9": 9}


def vehicle_ids(accidents: np.ndarray, numbers: pd.Series) -> np.ndarray:
    """Ids of vehicles, unique for each pair of `Num_Acc` and `num_veh`.

    The id depends on that pair only, so that vehicles and their people have the same one in any order of rows. Numbers
    that differ by leading zeros are the same vehicle.

    Args:
        accidents: int64 (n), `Num_Acc`.
        numbers: str (n), `num_veh` such as `A01`.

    Returns:
        int64 (n); -1 where either is missing.

    Example:
        >>> vehicle_ids(np.array([201800000001]), pd.Series(["A01"])).tolist()
        [4036000000020001001]
    """
    codes, distinct = pd.factorize(numbers)
    numbers_in_accident = np.array([*(_parse_number(number) for number in distinct), MISSING], dtype=np.int64)[codes]
    return np.where(
        (numbers_in_accident == MISSING) | (accidents == MISSING),
        MISSING,
        accidents * _VEHICLES_PER_ACCIDENT + numbers_in_accident,
    )


def _parse_number(number: str) -> int:
    match = _NUMBER.fullmatch(number)
    if not match:
        return MISSING
    letters = 0
    for letter in match[1]:
        letters = letters * _LETTERS + ord(letter) - ord("A") + 1
    return letters * 1000 + int(match[2])


def full_commune_codes(departments: pd.Series, communes: pd.Series) -> pd.Series:
    """INSEE codes of five characters: the department, then the last three digits (overseas the last two).

    Args:
        departments: str (n), `dep`.
        communes: str (n), `com` as published until 2018.

    Returns:
        str (n); missing where either is.
    """
    overseas = departments.str.len() == _OVERSEAS_LENGTH
    return departments + communes.where(~overseas, communes.str[-2:])


def equipment_codes(secu: pd.Series) -> np.ndarray:
    """Convert `secu` to codes of `secu1`, int16.

    Equipment in use keeps its code (belt, helmet, child seat, high-visibility, other); equipment not in use is 0,
    "none"; where its use is undetermined the code is 8; anything else is missing.

    >>> equipment_codes(pd.Series(["11", "12", "23"])).tolist()
    [1, 0, 8]
    """
    codes, distinct = pd.factorize(secu)
    return np.array([*(_equipment_code(text) for text in distinct), MISSING], dtype=np.int16)[codes]


def _equipment_code(text: str) -> int:
    padded = text.zfill(2)
    kind, use = padded[0], padded[1]
    if kind not in _SAME_EQUIPMENT:
        return MISSING
    return {_USED: _SAME_EQUIPMENT[kind], _NOT_USED: _NONE, _USE_UNKNOWN: _UNDETERMINED}.get(use, MISSING)
