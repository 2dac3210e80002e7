"""The part of a model that monitoring compares with: counts of its training data by season and hour, no accident.

`accidents.monitoring.reference` counts it, `accidents.monitoring.drift` compares with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

MONTHS, BANDS = 13, 5
"""Months, and bands of six hours, each with a last one for accidents without it."""

VALUES = 130
"""Values of a column: codes or bins from 0, then `MISSING_BIN` and `UNKNOWN_BIN`."""

MISSING_BIN, UNKNOWN_BIN = VALUES - 2, VALUES - 1

PROBABILITY_BINS = 20
"""Bins of equal width of the calibration."""

_DTYPES = {
    "names": np.uint8,
    "positions": np.int32,
    "counts": np.int32,
    "design_effects": np.float64,
    "calibration": np.float64,
    "departments": np.float64,
    "volume": np.float64,
    "roc_auc": np.float64,
}
_LARGEST = 100


@dataclass(frozen=True, eq=False)
class Reference:
    """Counts of the training data.

    Attributes:
        columns: names of the columns, such as `accident.lum`.
        counts: accidents, vehicles or people by column, month, band of hours and value, int64 (columns, `MONTHS`,
            `BANDS`, `VALUES`).
        design_effects: by column, how much the values of one accident resemble each other: variance of a share over
            that of independent rows, float64 (columns).
        calibration: of the held-out accidents by bin of the probability: accidents, sum of the probabilities, of their
            variances p (1 - p), and of the labels, float64 (`PROBABILITY_BINS`, 4).
        departments: the same by department, after its number, float64 (departments, 5).
        volume: by month accidents, days, and variance of the accidents of a day over their mean, float64 (12, 3).
        roc_auc: on the held-out accidents, with its standard error, float64 (2).
    """

    columns: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    design_effects: npt.NDArray[np.float64]
    calibration: npt.NDArray[np.float64]
    departments: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64]
    roc_auc: npt.NDArray[np.float64]

    @property
    def accidents(self) -> int:
        """Number of accidents."""
        return int(self.volume[:, 0].sum())

    def to_bytes(self) -> bytes:
        """The content of a section of a model file: an NPZ file."""
        from accidents.models._npz import pack_arrays

        flat = self.counts.ravel()
        positions = np.flatnonzero(flat)
        return pack_arrays(
            names=np.frombuffer("\n".join(self.columns).encode(), np.uint8),
            positions=positions.astype(np.int32),
            counts=flat[positions].astype(np.int32),
            design_effects=self.design_effects,
            calibration=self.calibration,
            departments=self.departments,
            volume=self.volume,
            roc_auc=self.roc_auc,
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Restore it from `to_bytes`.

        Raises:
            ValueError: the content is none of a reference.
        """
        from accidents.models._npz import unpack_arrays

        arrays: Mapping[str, npt.NDArray[Any]] = unpack_arrays(content, _DTYPES)
        columns = tuple(arrays["names"].tobytes().decode().split("\n"))
        size = len(columns) * MONTHS * BANDS * VALUES
        positions, counts = arrays["positions"], arrays["counts"]
        shapes = {
            "counts": positions.shape,
            "design_effects": (len(columns),),
            "calibration": (PROBABILITY_BINS, 4),
            "departments": (len(arrays["departments"]), 5),
            "volume": (12, 3),
            "roc_auc": (2,),
        }
        if len({*columns}) != len(columns) or len(columns) > _LARGEST:
            raise ValueError("reference: names of columns that are none")
        if wrong := [name for name, shape in shapes.items() if arrays[name].shape != shape]:
            raise ValueError(f"reference: {', '.join(wrong)} of another shape")
        if positions.ndim != 1 or np.any((positions < 0) | (positions >= size)) or np.any(counts < 0):
            raise ValueError("reference: counts of cells that are none")
        dense = np.zeros(size, np.int64)
        dense[positions] = counts
        others = {name: arrays[name] for name in shapes if name != "counts"}
        return cls(columns, dense.reshape(len(columns), MONTHS, BANDS, VALUES), **others)
