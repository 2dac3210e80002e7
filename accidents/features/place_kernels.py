"""The numerical core of places: numba functions that locate and encode them."""

import numba
import numpy as np

from accidents.features.jit import compiled

_IDS, _CELLS, _PAIR, _SHARES, _MATRIX = "int64[:]", "int64[:, :]", "float64[:]", "float32[:]", "float32[:, :]"


@numba.njit
def _cell(coordinates, size, bits):  # type: ignore[no-untyped-def]
    """Number of a cell of a grid: that of its row above that of its column, both made positive; -1 for none."""
    latitude, longitude = np.floor(coordinates[0] / size[0]), np.floor(coordinates[1] / size[1])
    if not (np.isfinite(latitude) and np.isfinite(longitude)):
        return np.int64(-1)
    offset = np.int64(1) << (bits - 1)
    return (np.int64(latitude) + offset) << bits | (np.int64(longitude) + offset)


@compiled(_CELLS, "int16[:]", "float64[:, :]", "int64", "float64[:, :]", "int64", _CELLS)
def locate(places, categories, coordinates, hashed, grids, bits, out):  # type: ignore[no-untyped-def]
    """Number the places of accidents.

    Args:
        places: int64 (n, 3), department, commune and road.
        categories: int16 (n), road category.
        coordinates: float64 (n, 2), latitude and longitude in degrees.
        hashed: least number of a road that has a name only.
        grids: float64 (g, 2), height and width of the cells of every grid, in degrees.
        bits: of the number of a row or column of cells.
        out: int64 (n, 3 + g), department, commune, road and the cell of every grid, filled in.
    """
    for row in range(places.shape[0]):
        department, commune, road = places[row, 0], places[row, 1], places[row, 2]
        around = commune if road >= hashed else department * 16 + categories[row]
        out[row, 0] = department
        out[row, 1] = commune
        out[row, 2] = around << 33 | road if road >= 0 and around >= 0 else -1
        for grid in range(grids.shape[0]):
            out[row, 3 + grid] = _cell(coordinates[row], grids[grid], bits)


@compiled(_CELLS, _IDS, _IDS, _SHARES, _SHARES, _IDS, "float32", _MATRIX)
def encode(cells, values, starts, shares, densities, parents, mean, out):  # type: ignore[no-untyped-def]
    """Encode places.

    Args:
        cells: int64 (n, k), one column a kind of place; -1 where missing.
        values: int64, cells seen in training, one kind after the other, each ascending.
        starts: int64 (k + 1), where each kind starts in `values`.
        shares: float32 (len(values)), share of priority accidents.
        densities: float32 (len(values)), frequency of accidents.
        parents: int64 (k), the kind whose share an unseen cell gets; it stands before; -1 for the mean.
        mean: share of priority accidents everywhere.
        out: float32 (n, at least 2 k), share and density of every kind by turns, filled in.
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
    """Compute latitude and longitude of accidents: those of the spot, else of the commune, the department or all.

    Args:
        cells: int64 (n, k), first the department, then the commune, last the spot; -1 where missing.
        values: int64, as in `encode`.
        starts: int64 (k + 1), as in `encode`.
        departments: float32 (departments seen, 2), their centres, NaN where none of their accidents has a position.
        communes: float32 (communes seen, 2), likewise.
        centre: float64 (2), the centre of all.
        size: float64 (2), height and width of a spot in degrees.
        bits: of the number of a row or column of spots.
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
