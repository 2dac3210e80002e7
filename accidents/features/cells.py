"""Where an accident happened, as integer keys: department, commune, road and two grids of coordinates.

Keys are the inputs of the encoder in `encoders`; a key is -1 where what it is made of is not recorded.
"""

import re
import unicodedata
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from accidents.columns import MISSING

KEYS = ("key_department", "key_commune", "key_road", "key_area", "key_spot")
"""Names of the keys, in their order."""

_NARROWER = 1.5  # a degree of longitude is as much shorter than one of latitude, in the middle of France
_CELLS = np.array([[size, size * _NARROWER] for size in (0.15, 0.02)])  # degrees: about 15 km and 2 km
SPOT: npt.NDArray[np.float64] = _CELLS[-1]
"""Height and width of a spot, in degrees."""
BITS = 21
"""Bits of the number of a row or column of cells."""
_OFFSET = 1 << (BITS - 1)  # makes these numbers positive
_HASHED = 1 << 20  # codes from here on are hashes of names, those below are road numbers
_ROAD_NUMBER = re.compile(
    r"(?:(?:AUTOROUTE|ROUTE)\s+)?[ANDMCTR]{1,2}[\s.]*0*(?P<lettered>[1-9]\d{0,4})(?:\D.*)?"
    r"|0*(?P<bare>[1-9]\d{0,4})[A-Z]{0,3}"  # a name may begin with a number: 11 NOVEMBRE (RUE DU)
)


def code_of_text(text: str | None) -> int:
    """Number of an INSEE code of digits and capital letters, such as `2A004`; -1 for none."""
    return int(text, 36) if isinstance(text, str) else MISSING


def code_of_road(text: str | None) -> int:
    """Number of a road as written: its own where it has one, such as 438 for `D438`, else a hash of its words.

    The order of the words, case, accents and punctuation do not count: `HOTEL DIEU (RUE DE L')` is the road that is
    also written `Rue de l'Hôtel-Dieu`.
    """
    if not isinstance(text, str):
        return MISSING
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper().strip()
    if numbered := _ROAD_NUMBER.fullmatch(plain):
        return int(numbered["lettered"] or numbered["bare"])
    words = sorted(re.findall(r"[A-Z0-9]+", plain))
    return _HASHED + zlib.crc32(" ".join(words).encode()) if words else MISSING


def by_distinct(texts: npt.NDArray[np.object_], function: Callable[[str | None], int]) -> npt.NDArray[np.int64]:
    """Apply `function` once to each distinct text."""
    known: dict[str | None, int] = {}
    return np.fromiter(
        (known[text] if text in known else known.setdefault(text, function(text)) for text in texts),
        np.int64,
        len(texts),
    )


def keys(
    places: npt.NDArray[np.int64], categories: npt.NDArray[np.int16], coordinates: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Compute the keys, int64 (n, len(KEYS)).

    Args:
        places: int64 (n, 3), department, commune and road (`arrays.Arrays.places`).
        categories: int16 (n), road category `catr`.
        coordinates: float64 (n, 2), latitude and longitude in degrees.

    A numbered road is one road in its department, a named one in its commune.
    """
    from accidents.features.place_kernels import locate  # numba takes a second to import

    out = np.empty((len(places), len(KEYS)), dtype=np.int64)
    locate(places, categories, coordinates, _HASHED, _CELLS, BITS, out)
    return out


def middles(spots: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Latitude and longitude of the middles of spots, float64 (n, 2) in degrees, NaN where not recorded."""
    cells = np.column_stack([spots >> BITS, spots & ((1 << BITS) - 1)]) - _OFFSET
    return np.where(spots[:, None] < 0, np.nan, (cells + 0.5) * SPOT)
