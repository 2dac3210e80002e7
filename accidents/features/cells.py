"""Cells: the place of an accident as integers, for department, commune, road and two grids of coordinates.

Cells are the input of `place_encoder`; a cell is -1 where its inputs are missing.
"""

import re
import unicodedata
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from accidents.columns import MISSING, UNKNOWN

CELLS = ("cell_department", "cell_commune", "cell_road", "cell_area", "cell_spot")
"""Names of the cells, in order."""

_ASPECT = 1.5  # length of a degree of latitude over one of longitude, in the middle of France
_GRIDS = np.array([[size, size * _ASPECT] for size in (0.15, 0.02)])  # degrees: about 15 km and 2 km
SPOT_SIZE: npt.NDArray[np.float64] = _GRIDS[-1]
"""Height and width of a spot, in degrees."""
BITS = 21
"""Bits for the number of a row or column of a grid."""
_OFFSET = 1 << (BITS - 1)  # makes these numbers positive
_FIRST_HASHED_ROAD = 1 << 20  # road numbers from here on are hashes of names
_ROAD_NUMBER = re.compile(
    r"(?:(?:AUTOROUTE|ROUTE)\s+)?[ANDMCTR]{1,2}[\s.]*0*(?P<lettered>[1-9]\d{0,4})(?:\D.*)?"
    r"|0*(?P<bare>[1-9]\d{0,4})[A-Z]{0,3}"  # a name may begin with a number: 11 NOVEMBRE (RUE DU)
)


def insee_number(text: str | None) -> int:
    """An INSEE code of digits and capital letters as a base-36 number, such as `2A004`; -1 for None.

    >>> insee_number("75"), insee_number(None)
    (257, -1)
    """
    return int(text, 36) if isinstance(text, str) else MISSING


def road_number(text: str | None) -> int:
    """Number of a road, such as 438 for `D438`, or a hash of its name.

    The order of the words, case, accents and punctuation do not count: `HOTEL DIEU (RUE DE L')` is the road that is
    also written `Rue de l'Hôtel-Dieu`.

    >>> road_number("D438"), road_number("RN 104"), road_number(None)
    (438, 104, -1)
    """
    if not isinstance(text, str):
        return MISSING
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper().strip()
    if numbered := _ROAD_NUMBER.fullmatch(plain):
        return int(numbered["lettered"] or numbered["bare"])
    words = sorted(re.findall(r"[A-Z0-9]+", plain))
    return _FIRST_HASHED_ROAD + zlib.crc32(" ".join(words).encode()) if words else MISSING


def map_distinct(texts: npt.NDArray[np.object_], function: Callable[[str | None], int]) -> npt.NDArray[np.int64]:
    """Apply `function` once to each distinct text."""
    cache: dict[str | None, int] = {}
    return np.fromiter(
        (cache[text] if text in cache else cache.setdefault(text, function(text)) for text in texts),
        np.int64,
        len(texts),
    )


def locate_cells(
    places: npt.NDArray[np.int64], categories: npt.NDArray[np.int16], coordinates: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Compute the cells, int64 (n, len(CELLS)).

    Args:
        places: int64 (n, 3), department, commune and road (`arrays.Arrays.places`).
        categories: int16 (n), road category `catr`.
        coordinates: float64 (n, 2), latitude and longitude in degrees.

    A numbered road is one road in its department, a named one in its commune.
    """
    from accidents.features.place_kernels import locate  # numba takes a second to import

    out = np.empty((len(places), len(CELLS)), dtype=np.int64)
    locate(places, categories, UNKNOWN, coordinates, _FIRST_HASHED_ROAD, _GRIDS, BITS, out)
    return out


def spot_centres(spots: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Latitude and longitude of the centres of spots, float64 (n, 2) in degrees, NaN for a missing spot."""
    cells = np.column_stack([spots >> BITS, spots & ((1 << BITS) - 1)]) - _OFFSET
    return np.where(spots[:, None] < 0, np.nan, (cells + 0.5) * SPOT_SIZE)
