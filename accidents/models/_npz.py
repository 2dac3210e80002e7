"""Arrays as NPZ files, the sections of models that consist of arrays."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt


def pack_arrays(**arrays: npt.ArrayLike) -> bytes:
    """Arrays as one NPZ file without pickled objects; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.asarray(array) for name, array in arrays.items()})
    return buffer.getvalue()


def unpack_arrays(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """Arrays of an NPZ file by name; an array of pickled objects is refused.

    >>> unpack_arrays(pack_arrays(a=[1, 2]))["a"].tolist()
    [1, 2]
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
