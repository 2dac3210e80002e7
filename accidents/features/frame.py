"""The feature frame, and the matrix that a model takes from it."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.features.arrays import Arrays, arrays_of
from accidents.features.catalogue import FEATURES, KEYS, names
from accidents.features.compute import compute, place_keys
from accidents.features.place_encoder import GeographyEncoder
from accidents.tables import Accidents


def build(accidents: Accidents) -> pd.DataFrame:
    """Compute the features of every level.

    Returns:
        One row an accident in the order of `accidents.accidents`: `Num_Acc` (int64), the features of the catalogue
        (float32, NaN where not recorded), and the geography keys (int64, -1 where not recorded). No label.
    """
    arrays = arrays_of(accidents)
    features = pd.DataFrame(compute(arrays), columns=[feature.name for feature in FEATURES], copy=False)
    keys = pd.DataFrame(place_keys(arrays), columns=list(KEYS), copy=False)
    ids = accidents.accidents["Num_Acc"].reset_index(drop=True)
    return pd.concat([ids, features, keys], axis=1)


def vector(arrays: Arrays) -> npt.NDArray[np.float32]:
    """The features of one accident, float32 (len(FEATURES),), bit for bit the row that `build` gives for it."""
    return compute(arrays)[0]


def matrix(
    frame: pd.DataFrame,
    encoder: GeographyEncoder | None,
    level: str,
    geography: bool = True,
    *,
    encoded: npt.NDArray[np.float32] | None = None,
) -> tuple[npt.NDArray[np.float32], list[str]]:
    """Take from a feature frame what a model of `level` sees.

    Args:
        frame: what `build` gives.
        encoder: the fitted encoder; needed if `geography` and no `encoded`.
        level: one of `accidents.columns.LEVELS`.
        geography: whether the encoded places are part of it.
        encoded: the encoded places if they are at hand already, such as those learned out of fold for training rows.

    Returns:
        The matrix, float32 (n, columns) in C order, and the names of its columns.
    """
    columns = names(level, geography=False)
    features = frame[columns].to_numpy(dtype=np.float32)
    if geography:
        if encoded is None:
            if encoder is None:
                raise ValueError("a matrix with geography needs a fitted encoder or the encoded places")
            encoded = encoder.transform(frame)
        features = np.hstack([features, encoded])
    return np.ascontiguousarray(features), names(level, geography)
