"""numba functions that compute and encode cells."""

import numba
import numpy as np

from accidents.features.jit import compiled

_IDS, _CELLS, _PAIR, _SHARES, _MATRIX = "int64[:]", "int64[:, :]", "float64[:]", "float32[:]", "float32[:, :]"


@numba.njit
def _cell(coordinates, size, bits):  # type: ignore[no-untyped-def]
    """Cell of a grid: number of its row in the high bits and of its column in the low bits; -1 without coordinates."""
    latitude, longitude = np.floor(coordinates[0] / size[0]), np.floor(coordinates[1] / size[1])
    if not (np.isfinite(latitude) and np.isfinite(longitude)):
        return np.int64(-1)
    offset = np.int64(1) << (bits - 1)
    return (np.int64(latitude) + offset) << bits | (np.int64(longitude) + offset)


@compiled(_CELLS, "int16[:]", "int64", "float64[:, :]", "int64", "float64[:, :]", "int64", _CELLS)
def locate(places, categories, unknown, coordinates, hashed, grids, bits, out):  # type: ignore[no-untyped-def]
    """Compute the cells of accidents.

    Args:
        places: int64 (n, 3), department, commune and road.
        categories: int16 (n), road category.
        unknown: the code of an unknown road category, without which a number means no road.
        coordinates: float64 (n, 2), latitude and longitude in degrees.
        hashed: least number of a road without a number.
        grids: float64 (g, 2), height and width of the cells of every grid, in degrees.
        bits: for the number of a row or column of a grid.
        out: int64 (n, 3 + g), department, commune, road and the cell of every grid, filled in.
    """
    for row in range(places.shape[0]):
        department, commune, road = places[row, 0], places[row, 1], places[row, 2]
        parent = commune if road >= hashed else department * 16 + categories[row] if categories[row] != unknown else -1
        out[row, 0] = department
        out[row, 1] = commune
        out[row, 2] = parent << 33 | road if road >= 0 and parent >= 0 else -1
        for grid in range(grids.shape[0]):
            out[row, 3 + grid] = _cell(coordinates[row], grids[grid], bits)


@compiled(_CELLS, _IDS, _IDS, _SHARES, _SHARES, _IDS, "float32", _MATRIX)
def encode(cells, values, starts, shares, densities, parents, mean, out):  # type: ignore[no-untyped-def]
    """Encode cells by share and density.

    Args:
        cells: int64 (n, k), one column for each of `CELLS`; -1 where missing.
        values: int64, cells of training accidents, sorted within each kind.
        starts: int64 (k + 1), offset of each kind in `values`, and its length.
        shares: float32 (len(values)), share of priority accidents.
        densities: float32 (len(values)), frequency of accidents.
        parents: int64 (k), kind of the parent cell, which comes before; -1 for the mean.
        mean: share of priority among all accidents.
        out: float32 (n, at least 2 k), share and density of each kind in turn, filled in.
    """
    for row in range(cells.shape[0]):
        for kind in range(cells.shape[1]):
            first, last = starts[kind], starts[kind + 1]
            place = first + np.searchsorted(values[first:last], cells[row, kind])
            if place < last and values[place] == cells[row, kind]:
                out[row, 2 * kind] = shares[place]
                out[row, 2 * kind + 1] = densities[place]
            else:
                out[row, 2 * kind] = mean if parents[kind] < 0 else out[row, 2 * parents[kind]]
                out[row, 2 * kind + 1] = 0


@compiled(_CELLS, _IDS, _IDS, _MATRIX, _MATRIX, _PAIR, _PAIR, "int64", _MATRIX)
def position(cells, values, starts, departments, communes, centre, size, bits, out):  # type: ignore[no-untyped-def]
    """Latitude and longitude of the spot, or else of the centre of commune, department or all accidents.

    Args:
        cells: int64 (n, k), first the department, then the commune, last the spot; -1 where missing.
        values: int64, as in `encode`.
        starts: int64 (k + 1), as in `encode`.
        departments: float32 (departments, 2), centres of departments, NaN where no accident has a position.
        communes: float32 (communes, 2), likewise.
        centre: float64 (2), centre of all accidents.
        size: float64 (2), height and width of a spot in degrees.
        bits: for the number of a row or column of spots.
        out: float32 (n, 2), filled in.
    """
    offset, mask = 1 << (bits - 1), (1 << bits) - 1
    for row in range(cells.shape[0]):
        spot = cells[row, -1]
        if spot >= 0:
            out[row, 0] = ((spot >> bits) - offset + 0.5) * size[0]
            out[row, 1] = ((spot & mask) - offset + 0.5) * size[1]
            continue
        out[row, 0], out[row, 1] = centre[0], centre[1]
        for kind, centres in enumerate((departments, communes)):
            seen = values[starts[kind] : starts[kind + 1]]
            place = np.searchsorted(seen, cells[row, kind])
            if place < len(seen) and seen[place] == cells[row, kind] and np.isfinite(centres[place, 0]):
                out[row, 0], out[row, 1] = centres[place, 0], centres[place, 1]
