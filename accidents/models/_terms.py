"""numba function that computes standardised terms of the regression: in a sixth of the time that arrays take."""

import numpy as np

from accidents.features.jit import compiled

_COLUMNS, _NUMBERS, _POSITIONS, _FACTORS = "float32[:, ::1]", "float32[::1]", "int64[::1]", "float64[::1]"


@compiled(
    _COLUMNS, _NUMBERS, _POSITIONS, _POSITIONS, _NUMBERS, _POSITIONS, _NUMBERS, _FACTORS, _FACTORS, _COLUMNS
)  # fmt: skip
def standardise(columns, medians, numbers, hinged, knots, coded, codes, mean, scale, out):  # type: ignore[no-untyped-def]
    """Compute the terms of `logistic_regression.Design`, less their mean, over their scale.

    Args:
        columns: float32 (c, n), the input columns of n rows.
        medians: float32 (c), for missing numbers.
        numbers: int64, columns of the terms that are numbers.
        hinged: int64, columns of the terms that are hinges.
        knots: float32, of the hinges.
        coded: int64, columns of the indicators.
        codes: float32, of the indicators.
        mean: float64 (k), of the terms: numbers, hinges, indicators.
        scale: float64 (k).
        out: float32 (k, n), filled in.
    """
    for term in range(len(mean)):
        hinge = term - len(numbers)
        indicator = hinge - len(hinged)
        if indicator >= 0:
            yes = np.float32((1.0 - mean[term]) / scale[term])
            no = np.float32((0.0 - mean[term]) / scale[term])
            for row in range(columns.shape[1]):
                out[term, row] = yes if columns[coded[indicator], row] == codes[indicator] else no
            continue
        column = hinged[hinge] if hinge >= 0 else numbers[term]
        for row in range(columns.shape[1]):
            value = columns[column, row]
            if np.isnan(value):
                value = medians[column]
            if hinge >= 0:
                value = max(value - knots[hinge], np.float32(0))
            out[term, row] = np.float32((np.float64(value) - mean[term]) / scale[term])
