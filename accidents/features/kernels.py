"""numba functions over arrays with offsets that compute the features of one accident or a million.

Their arguments are positions and tables, made from the catalogue by `kernel_arguments`. A result depends on the rows
of its own accident alone and not on their order: sums are of integers, a mean is one division, and everything else is a
count, a minimum or a maximum.
"""

import numba
import numpy as np

from accidents.features.jit import compiled

COUNT, ANY, MIN, MAX, MEAN = range(5)
"""Codes of aggregations."""

LOOKUP, CROSS, RATIO = range(3)
"""Codes of combinations of features."""

WIDTH = 256
"""Length of a lookup table; the position of a code is code + 1."""

ORDER_FACTOR = 1024
"""Factor of the code that orders in a combined sort key; greater than all codes."""

_CODES, _ROWS, _IDS, _BITS, _TABLE = "int16[:]", "int16[:, :]", "int64[:]", "uint64[:]", "int16[::1]"


@compiled(_ROWS, "int64", "int64", "int64", "int64", "int64", "int64")
def derive_time(accident, hrmn, jour, mois, an, hour, weekday):  # type: ignore[no-untyped-def]
    """Fill the columns `hour` (0 to 23) and `weekday` (0 Monday to 6) from the others, given by position.

    The weekday follows Zeller's congruence for the Gregorian calendar.
    """
    for row in range(accident.shape[0]):
        minutes = accident[row, hrmn]
        accident[row, hour] = minutes // 60 if minutes >= 0 else -1
        day, month, year = int(accident[row, jour]), int(accident[row, mois]), int(accident[row, an])
        if day < 0 or month < 0 or year < 0:
            accident[row, weekday] = -1
            continue
        if month < 3:  # January and February count as months 13 and 14 of the year before
            month += 12
            year -= 1
        days = day + 13 * (month + 1) // 5 + year + year // 4 - year // 100 + year // 400
        accident[row, weekday] = (days + 5) % 7


@compiled(_CODES, _TABLE, _CODES)
def look_up(codes, table, out):  # type: ignore[no-untyped-def]
    """Look up the value of each code at position code + 1 of the table; -1 beyond its end."""
    for row in range(len(codes)):
        place = codes[row] + 1
        out[row] = table[place] if 0 <= place < len(table) else -1


@compiled(_CODES, _IDS, _IDS, _IDS, _IDS, _CODES)
def join_vehicles(values, vehicle_ids, vehicle_starts, person_vehicle_ids, person_starts, out):  # type: ignore[no-untyped-def]
    """Value of the vehicle of each person; -1 without a vehicle, the greatest of vehicles with the same id."""
    for accident in range(len(person_starts) - 1):
        for person in range(person_starts[accident], person_starts[accident + 1]):
            out[person] = -1
            for vehicle in range(vehicle_starts[accident], vehicle_starts[accident + 1]):
                if vehicle_ids[vehicle] == person_vehicle_ids[person]:
                    out[person] = max(out[person], values[vehicle])


@compiled(_CODES, _CODES, "int64", "int64", _CODES)
def replace_role(codes, roles, role, value, out):  # type: ignore[no-untyped-def]
    """Copy codes, with `value` for the people in a role."""
    for row in range(len(codes)):
        out[row] = value if roles[row] == role else codes[row]


@compiled(_CODES, _CODES, _IDS, "int64", _CODES)
def derive_age(years, births, person_starts, oldest, out):  # type: ignore[no-untyped-def]
    """Age of each person in years in the year of the accident; -1 if missing or above `oldest`."""
    for accident in range(len(person_starts) - 1):
        for person in range(person_starts[accident], person_starts[accident + 1]):
            age = years[accident] - births[person]
            is_valid = years[accident] >= 0 and births[person] >= 0 and 0 <= age <= oldest
            out[person] = age if is_valid else -1


@numba.njit
def _conditions_met(row, bits, used):  # type: ignore[no-untyped-def]
    """Conditions that a row meets, one a bit."""
    met = np.uint64(0)
    for column in used:
        code = row[column] + 1
        if 0 <= code < WIDTH:
            met |= bits[column, code]
    return met


@numba.njit
def _value(row, aggregation, value, order_by):  # type: ignore[no-untyped-def]
    """Contribution of a row to an aggregate; -1 if missing."""
    if aggregation in (COUNT, ANY):
        return np.int64(1)
    code = np.int64(row[value])
    if order_by < 0 or code < 0:
        return code
    order = np.int64(row[order_by])
    return order * ORDER_FACTOR + code if order >= 0 else np.int64(-1)


@numba.njit
def _accumulate(aggregation, total, code):  # type: ignore[no-untyped-def]
    """Aggregate of two contributions."""
    if aggregation == MIN:
        return min(total, code)
    if aggregation == MAX:
        return max(total, code)
    return total + code


@numba.njit
def _result(aggregation, order_by, number, total, default):  # type: ignore[no-untyped-def]
    """Result of an aggregate, float64."""
    if aggregation == COUNT:
        return float(number)
    if aggregation == ANY:
        return 1.0 if number > 0 else 0.0
    if number == 0:
        return float(default)
    if aggregation == MEAN:
        return total / number
    return float(total % ORDER_FACTOR if order_by >= 0 else total)


@compiled(_ROWS, _IDS, "uint64[:, :]", _IDS, _BITS, _IDS, _IDS, _IDS, "float32[:]", _IDS, "float32[:, :]")
def aggregate(rows, starts, bits, used, required, aggregation, value, order_by, default, target, out):  # type: ignore[no-untyped-def]
    """Compute all aggregates over one table.

    Args:
        rows: int16 (m, columns), grouped by accident.
        starts: int64 (n + 1), offset of the first row of each accident, and m.
        bits: uint64 (columns, WIDTH), conditions that a code of a column meets, one a bit.
        used: int64, columns with conditions.
        required: uint64 (aggregates), conditions that a row must meet.
        aggregation: int64 (aggregates), one of COUNT, ANY, MIN, MAX, MEAN.
        value: int64 (aggregates), the column aggregated.
        order_by: int64 (aggregates), column that orders the rows of MIN or MAX; -1 for none.
        default: float32 (aggregates), result without any row.
        target: int64 (aggregates), the column of `out` for the result.
        out: float32 (n, features), filled in.
    """
    number, total = np.empty(len(aggregation), np.int64), np.empty(len(aggregation), np.int64)
    for accident in range(len(starts) - 1):
        number[:] = 0
        total[:] = 0
        for row in range(starts[accident], starts[accident + 1]):
            met = _conditions_met(rows[row], bits, used)
            for a in range(len(aggregation)):
                if met & required[a] != required[a]:
                    continue
                code = _value(rows[row], aggregation[a], value[a], order_by[a])
                if code >= 0:
                    total[a] = code if number[a] == 0 else _accumulate(aggregation[a], total[a], code)
                    number[a] += 1
        for a in range(len(aggregation)):
            out[accident, target[a]] = _result(aggregation[a], order_by[a], number[a], total[a], default[a])


@compiled(_ROWS, _IDS, "int64[:, :]", _IDS, "int64", "float32[:, :]")
def share_known(rows, starts, columns, target, unknown, out):  # type: ignore[no-untyped-def]
    """Compute the share of known cells of some columns of one table.

    Args:
        rows: int16 (m, columns), grouped by accident.
        starts: int64 (n + 1), offset of the first row of each accident, and m.
        columns: int64 (features, most columns of a feature), the columns of each feature, then -1.
        target: int64 (features), the column of `out` for the result.
        unknown: the code of an unknown cell.
        out: float32 (n, features), filled in.
    """
    for accident in range(len(starts) - 1):
        for f in range(len(target)):
            known = total = 0
            for row in range(starts[accident], starts[accident + 1]):
                for column in columns[f]:
                    if column >= 0:
                        known += rows[row, column] != unknown
                        total += 1
            out[accident, target[f]] = known / total if total else 1.0


@compiled(_IDS, _IDS, _IDS, _IDS, _IDS, "float32[:, :]", "float32[:, :]")
def combine(combination, first, second, size, target, tables, out):  # type: ignore[no-untyped-def]
    """Compute features from other features, in order.

    Args:
        combination: int64 (features), one of LOOKUP, CROSS, RATIO.
        first: int64 (features), column of `out` looked up, crossed or divided.
        second: int64 (features), row of `tables`, or column of `out` crossed with or divided by.
        size: int64 (features), one more than the greatest second code of a cross.
        target: int64 (features), column of `out` for the result.
        tables: float32 (tables, WIDTH), result by code plus one.
        out: float32 (n, features), filled in.
    """
    for row in range(out.shape[0]):
        for f in range(len(combination)):
            left = out[row, first[f]]
            if combination[f] == LOOKUP:
                out[row, target[f]] = tables[second[f], 0 if np.isnan(left) else int(left) + 1]
                continue
            right = out[row, second[f]]
            if combination[f] == CROSS:
                out[row, target[f]] = left * np.float32(size[f]) + right
            else:
                out[row, target[f]] = left / right if right > 0 else np.nan
