"""The one loop behind the metrics: over the distinct probabilities of every resample, once."""

import numpy as np

from accidents.features.jit import compiled


@compiled("float64[:, :, :]", "float64[:]", "int64", "int64[:]", "int64", gives="float64[:, :]")
def sums(counts, values, predicted, places, bins):  # type: ignore[no-untyped-def]
    """What the metrics of each of b resamples are made of, float64 (8, b).

    Rows: positives, negatives; hits and alarms among the first `predicted` probabilities; pairs of a positive and a
    negative in the right order, ties one half; precision summed over positives; squared errors; and distances between
    predicted and observed positives summed over bins.

    Args:
        counts: accidents by label and probability, float64 (b, 2, k).
        values: the probabilities, highest first, float64 (k).
        predicted: how many of them are called positive.
        places: bin of each, int64 (k).
        bins: number of bins.
    """
    result = np.zeros((8, len(counts)))
    for resample in range(len(counts)):
        gaps = np.zeros(bins)
        true = false = hits = alarms = beaten = precisions = squared = 0.0
        for position in range(len(values)):
            value = values[position]
            positives, negatives = counts[resample, 1, position], counts[resample, 0, position]
            true += positives
            false += negatives
            beaten += negatives * (true - positives / 2)
            if positives:
                precisions += positives * true / (true + false)
            squared += positives * (1 - value) ** 2 + negatives * value**2
            gaps[places[position]] += positives * (1 - value) - negatives * value
            if position < predicted:
                hits, alarms = true, false
        found = (true, false, hits, alarms, beaten, precisions, squared, np.abs(gaps).sum())
        for row, one in enumerate(found):
            result[row, resample] = one
    return result
