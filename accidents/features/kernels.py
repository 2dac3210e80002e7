"""The numerical core: numba functions over arrays with offsets that compute the features of one accident or a million.

They know positions and tables alone; what these mean stands in `layout` and `catalogue`, and `plan` puts it into
numbers. Every result depends on the rows of its own accident alone and not on their order: sums are of integers, means
are one division, and everything else is a count, a minimum or a maximum.
"""

import numba
import numpy as np

from accidents.features.jit import compiled

COUNT, ANY, MIN, MAX, MEAN = range(5)
"""How an aggregate is computed."""

LOOKUP, CROSS, RATIO = range(3)
"""How a feature is computed from others."""

WIDTH = 256
"""Length of a lookup table: code -1 stands at 0, code 254 at 255."""

BY = 1024
"""Factor that puts one code above another, greater than all codes."""

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
    """Give every code its value: -1 stands first in the table, code 0 second; beyond its end there is none, or -1."""
    for row in range(len(codes)):
        place = codes[row] + 1
        out[row] = table[place] if 0 <= place < len(table) else -1


@compiled(_CODES, _IDS, _IDS, _IDS, _IDS, _CODES)
def link(values, vehicle_ids, vehicle_starts, person_vehicle_ids, person_starts, out):  # type: ignore[no-untyped-def]
    """Give every person the value of their vehicle, -1 without one, the greatest if several bear the same id."""
    for accident in range(len(person_starts) - 1):
        for person in range(person_starts[accident], person_starts[accident + 1]):
            out[person] = -1
            for vehicle in range(vehicle_starts[accident], vehicle_starts[accident + 1]):
                if vehicle_ids[vehicle] == person_vehicle_ids[person]:
                    out[person] = max(out[person], values[vehicle])


@compiled(_CODES, _CODES, "int64", "int64", _CODES)
def replace(codes, roles, role, value, out):  # type: ignore[no-untyped-def]
    """Give everybody their code, but `value` to those in a role."""
    for row in range(len(codes)):
        out[row] = value if roles[row] == role else codes[row]


@compiled(_CODES, _CODES, _IDS, "int64", _CODES)
def derive_age(years, births, person_starts, oldest, out):  # type: ignore[no-untyped-def]
    """Give every person their age in years, from the year of their accident; -1 if not recorded or above `oldest`."""
    for accident in range(len(person_starts) - 1):
        for person in range(person_starts[accident], person_starts[accident + 1]):
            age = years[accident] - births[person]
            known = years[accident] >= 0 and births[person] >= 0 and 0 <= age <= oldest
            out[person] = age if known else -1


@numba.njit
def _fulfilled(row, bits, used):  # type: ignore[no-untyped-def]
    """The conditions that a row fulfils, one a bit."""
    fulfilled = np.uint64(0)
    for column in used:
        code = row[column] + 1
        if 0 <= code < WIDTH:
            fulfilled |= bits[column, code]
    return fulfilled


@numba.njit
def _value(row, how, value, by):  # type: ignore[no-untyped-def]
    """What a row contributes to an aggregate; -1 if it is not recorded."""
    if how in (COUNT, ANY):
        return np.int64(1)
    code = np.int64(row[value])
    if by < 0 or code < 0:
        return code
    above = np.int64(row[by])
    return above * BY + code if above >= 0 else np.int64(-1)


@numba.njit
def _together(how, total, code):  # type: ignore[no-untyped-def]
    """What two values make."""
    if how == MIN:
        return min(total, code)
    if how == MAX:
        return max(total, code)
    return total + code


@numba.njit
def _result(how, by, number, total, default):  # type: ignore[no-untyped-def]
    """The value of an aggregate, float64, from all of its rows."""
    if how == COUNT:
        return float(number)
    if how == ANY:
        return 1.0 if number > 0 else 0.0
    if number == 0:
        return float(default)
    if how == MEAN:
        return total / number
    return float(total % BY if by >= 0 else total)


@compiled(_ROWS, _IDS, "uint64[:, :]", _IDS, _BITS, _IDS, _IDS, _IDS, "float32[:]", _IDS, "float32[:, :]")
def aggregate(rows, starts, bits, used, needed, how, value, by, default, target, out):  # type: ignore[no-untyped-def]
    """Compute all aggregates over one table.

    Args:
        rows: int16 (m, columns), rows of one accident next to each other.
        starts: int64 (n + 1), where the rows of each accident start.
        bits: uint64 (columns, WIDTH), for a code of a column the conditions that it fulfils, one a bit.
        used: int64, the columns that have conditions.
        needed: uint64 (aggregates), the conditions that a row must fulfil.
        how: int64 (aggregates), one of COUNT, ANY, MIN, MAX, MEAN.
        value: int64 (aggregates), the column aggregated.
        by: int64 (aggregates), the column that chooses the rows of MIN or MAX, -1 for none.
        default: float32 (aggregates), the result where there is no value.
        target: int64 (aggregates), the column of `out` for the result.
        out: float32 (n, features), filled in.
    """
    number, total = np.empty(len(how), np.int64), np.empty(len(how), np.int64)
    for accident in range(len(starts) - 1):
        number[:] = 0
        total[:] = 0
        for row in range(starts[accident], starts[accident + 1]):
            fulfilled = _fulfilled(rows[row], bits, used)
            for a in range(len(how)):
                if fulfilled & needed[a] != needed[a]:
                    continue
                code = _value(rows[row], how[a], value[a], by[a])
                if code >= 0:
                    total[a] = code if number[a] == 0 else _together(how[a], total[a], code)
                    number[a] += 1
        for a in range(len(how)):
            out[accident, target[a]] = _result(how[a], by[a], number[a], total[a], default[a])


@compiled(_IDS, _IDS, _IDS, _IDS, _IDS, "float32[:, :]", "float32[:, :]")
def combine(how, first, second, size, target, tables, out):  # type: ignore[no-untyped-def]
    """Compute the features that are made of other features, in their order.

    Args:
        how: int64 (features), one of LOOKUP, CROSS, RATIO.
        first: int64 (features), column of `out` looked up, crossed or divided.
        second: int64 (features), row of `tables`, or column of `out` crossed with or divided by.
        size: int64 (features), one more than the greatest second code of a cross.
        target: int64 (features), column of `out` for the result.
        tables: float32 (tables, WIDTH), result by code plus one.
        out: float32 (n, features), filled in.
    """
    for row in range(out.shape[0]):
        for f in range(len(how)):
            left = out[row, first[f]]
            if how[f] == LOOKUP:
                out[row, target[f]] = tables[second[f], 0 if np.isnan(left) else int(left) + 1]
                continue
            right = out[row, second[f]]
            if how[f] == CROSS:
                out[row, target[f]] = left * np.float32(size[f]) + right
            else:
                out[row, target[f]] = left / right if right > 0 else np.nan
