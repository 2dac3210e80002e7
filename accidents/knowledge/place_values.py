"""Places that may be that of an accident whose place is not fully known, from the cells of the place encoder."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from accidents.features.arrays import Arrays
from accidents.features.cells import CELLS, spot_centres
from accidents.knowledge.masks import COORDINATES, PLACES

if TYPE_CHECKING:
    from accidents.features.place_encoder import PlaceEncoder

_GROUPS = 4
_NEAR = 0.08  # degrees of latitude; communes are about 8 km wide
_DEP, _COM = PLACES.index("dep"), PLACES.index("com")
_DEPARTMENT, _COMMUNE, _SPOT = (CELLS.index(cell) for cell in ("cell_department", "cell_commune", "cell_spot"))
_DIGITS = (36**3, 36**2)  # of the commune behind the department, which overseas has three digits of the five


@dataclass(frozen=True)
class PlaceValue:
    """A place that stands for a share of all; None and NaN for what it does not give."""

    share: float
    department: int | None = None
    commune: int | None = None
    coordinates: tuple[float, float] | None = None

    def put(self, arrays: Arrays, row: int) -> None:
        """Write it into an accident."""
        if self.department is not None:
            arrays.places[row, _DEP] = self.department
        if self.commune is not None:
            arrays.places[row, _COM] = self.commune
        if self.coordinates is not None:
            arrays.coordinates[row] = self.coordinates


def place_values(encoder: "PlaceEncoder", name: str, arrays: Arrays) -> list[PlaceValue]:
    """Values of `dep`, `com` or `coordinates` of one accident: groups of places with similar shares of priority.

    Empty where the place is known. With coordinates, neither department nor commune is asked for.
    """
    department, commune = int(arrays.places[0, _DEP]), int(arrays.places[0, _COM])
    if np.isfinite(arrays.coordinates[0]).all() or (name == "com" and commune >= 0):
        return []
    if name == "dep":
        known = department >= 0 or commune >= 0
        return [] if known else [PlaceValue(share, department=cell) for share, cell in _grouped(encoder, _DEPARTMENT)]
    if name == COORDINATES and commune >= 0:
        return _spots_near(encoder, commune)
    departments, communes = _values(encoder, _DEPARTMENT), _values(encoder, _COMMUNE)
    theirs = _department_of(communes, departments)
    groups = _grouped(encoder, _COMMUNE, (theirs == department) | (department < 0))
    if name == "com":
        own = dict(zip(communes.tolist(), theirs.tolist(), strict=True))
        return [PlaceValue(share, department=own[cell], commune=cell) for share, cell in groups]
    centres = {cell: encoder.centres[_COMMUNE][np.searchsorted(communes, cell)] for _, cell in groups}
    return [
        PlaceValue(share, coordinates=(float(centres[cell][0]), float(centres[cell][1])))
        for share, cell in groups
        if np.isfinite(centres[cell]).all()
    ]


def _spots_near(encoder: "PlaceEncoder", commune: int) -> list[PlaceValue]:
    communes = _values(encoder, _COMMUNE)
    position = int(np.searchsorted(communes, commune))
    if position == len(communes) or communes[position] != commune:
        return []
    centre, centres = encoder.centres[_COMMUNE][position], spot_centres(_values(encoder, _SPOT))
    near = (np.abs(centres - centre) < (_NEAR, 1.5 * _NEAR)).all(axis=1)
    groups = _grouped(encoder, _SPOT, near)
    spots = spot_centres(np.array([cell for _, cell in groups], dtype=np.int64).reshape(-1))
    return [
        PlaceValue(share, coordinates=(float(latitude), float(longitude)))
        for (share, _), (latitude, longitude) in zip(groups, spots, strict=True)
    ]


def _values(encoder: "PlaceEncoder", kind: int) -> npt.NDArray[np.int64]:
    return encoder.values[encoder.starts[kind] : encoder.starts[kind + 1]]


def _department_of(communes: npt.NDArray[np.int64], departments: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    first, second = (communes // digits for digits in _DIGITS)
    return np.where(np.isin(second, departments), second, first)


def _grouped(
    encoder: "PlaceEncoder", kind: int, chosen: npt.NDArray[np.bool_] | None = None
) -> list[tuple[float, int]]:
    """Cells in the middle of up to `_GROUPS` groups by share of priority, with the share of accidents of each group."""
    rows = slice(encoder.starts[kind], encoder.starts[kind + 1])
    positions = np.arange(rows.start, rows.stop)
    positions = positions if chosen is None else positions[chosen]
    if not len(positions):
        return []
    positions = positions[np.argsort(encoder.shares[positions], kind="stable")]
    weight = np.expm1(encoder.densities[positions].astype(np.float64))
    total = weight.sum()
    if not 0 < total < np.inf:
        return []
    share = weight / total
    middle = np.cumsum(share) - share / 2
    group = np.minimum((middle * _GROUPS).astype(np.intp), _GROUPS - 1)
    result = []
    for number in np.unique(group):
        own = np.flatnonzero(group == number)
        centre = own[np.searchsorted(np.cumsum(share[own]), share[own].sum() / 2).clip(max=len(own) - 1)]
        result.append((float(share[own].sum()), int(encoder.values[positions[centre]])))
    return result
