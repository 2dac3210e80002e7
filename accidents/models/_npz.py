"""Arrays as NPZ files, the sections of models that consist of arrays. Content may come from anywhere."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
_MAX_BYTES = 500_000_000


def pack_arrays(**arrays: npt.ArrayLike) -> bytes:
    """Arrays as one NPZ file without pickled objects; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.asarray(array) for name, array in arrays.items()})
    return buffer.getvalue()


def unpack_arrays(content: bytes, dtypes: Mapping[str, npt.DTypeLike] | None = None, *, finite: bool = True) -> Arrays:
    """Arrays of an NPZ file by name.

    Args:
        content: of the file.
        dtypes: the arrays that it must have, by name; any where None.
        finite: refuse NaN and infinity.

    Raises:
        ValueError: pickled objects, more than 500 MB, other arrays than `dtypes` says, or numbers that are not finite.

    >>> unpack_arrays(pack_arrays(a=[1, 2]), {"a": np.int64})["a"].tolist()
    [1, 2]
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
            raise ValueError("its arrays are larger than those of a model")
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if dtypes is not None and arrays.keys() != dtypes.keys():
        raise ValueError(f"arrays {', '.join(arrays)} instead of {', '.join(dtypes)}")
    for name, array in arrays.items():
        if dtypes is not None and array.dtype != np.dtype(dtypes[name]):
            raise ValueError(f"array {name} is {array.dtype} instead of {np.dtype(dtypes[name])}")
        if array.dtype.kind not in "iuf" or array.ndim > 2:
            raise ValueError(f"array {name} is {array.ndim}-dimensional {array.dtype}")
        if finite and not np.isfinite(array).all():
            raise ValueError(f"array {name} is not finite")
    return arrays
