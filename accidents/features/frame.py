"""The feature frame, and the matrix of a model."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.features.arrays import Arrays, to_arrays
from accidents.features.catalogue import CELLS, FEATURES, PLACE_COLUMN_NAMES
from accidents.features.compute import compute, place_cells
from accidents.features.mapper import MappingEngine
from accidents.features.place_encoder import PlaceEncoder
from accidents.tables import Accidents

_POSITIONS = {feature.name: position for position, feature in enumerate(FEATURES)}


_PARTITION = 20_000  # accidents of a part


def feature_frame(accidents: Accidents, *, engine: MappingEngine | None = None) -> pd.DataFrame:
    """Compute the features of every level.

    Args:
        accidents: cleaned accidents.
        engine: where; one of a cluster computes parts of the accidents, with the same result. None: this process.

    Returns:
        One row an accident in the order of `accidents.accidents`: `Num_Acc` (int64), the features of the catalogue
        (float32, NaN where missing), and the cells of the place (int64, -1 where missing). No label.
    """
    if engine is None or not engine.is_remote or accidents.accidents.empty:
        return _features_of(accidents)
    return pd.concat([*engine.map(_features_of, accidents.partitions(_PARTITION))], ignore_index=True)


def _features_of(accidents: Accidents) -> pd.DataFrame:
    return arrays_frame(accidents.accidents["Num_Acc"], to_arrays(accidents))


def arrays_frame(ids: pd.Series, arrays: Arrays) -> pd.DataFrame:
    """The frame of `feature_frame` for accidents as arrays, such as masked ones; `ids` are their `Num_Acc`."""
    features = pd.DataFrame(compute(arrays), columns=list(_POSITIONS), copy=False)
    cells = pd.DataFrame(place_cells(arrays), columns=list(CELLS), copy=False)
    return pd.concat([ids.reset_index(drop=True), features, cells], axis=1)


def feature_matrix(
    source: pd.DataFrame | Arrays,
    columns: tuple[str, ...],
    encoder: PlaceEncoder | None = None,
    *,
    encoded: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.float32]:
    """Compute the matrix of a model.

    Args:
        source: a feature frame, or arrays; both give the same matrix bit for bit.
        columns: names of features, then those of columns of the place encoder.
        encoder: the fitted encoder; needed if `columns` has some of its columns and `encoded` is not given.
        encoded: output of the encoder, such as out-of-fold encodings of training rows; None to compute it.

    Returns:
        The matrix, float32 (n, len(columns)) in C order.

    Raises:
        ValueError: `columns` has columns of the place encoder, and neither `encoder` nor `encoded` is given.
    """
    features, places = _selection(columns)
    if isinstance(source, Arrays):
        matrix = compute(source).take(features, axis=1)
    else:
        matrix = source[list(columns[: len(features)])].to_numpy(dtype=np.float32)
    if len(places):
        if encoded is None:
            if encoder is None:
                raise ValueError("columns of the place encoder need a fitted encoder or the encoded places")
            encoded = encoder.transform(place_cells(source) if isinstance(source, Arrays) else source)
        matrix = np.concatenate([matrix, encoded if len(places) == encoded.shape[1] else encoded[:, places]], axis=1)
    return np.ascontiguousarray(matrix)


@cache
def _selection(columns: Sequence[str]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Positions of columns among the features, and among the columns of the place encoder."""
    features = [_POSITIONS[name] for name in columns if name in _POSITIONS]
    places = [PLACE_COLUMN_NAMES.index(name) for name in columns[len(features) :]]
    return np.array(features, dtype=np.intp), np.array(places, dtype=np.intp)
