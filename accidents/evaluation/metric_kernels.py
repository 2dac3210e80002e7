"""Compiled kernels of the metrics: accidents counted by label and probability, and one pass over these counts."""

import numpy as np

from accidents.features.jit import compiled


@compiled("int64[:]", "int64[:, :]", "int64", returns="float64[:, :]")
def count_rows(count_index, rows, width):  # type: ignore[no-untyped-def]
    """Count the accidents of each of b resamples, float64 (b, width).

    Args:
        count_index: position of each accident in the counts, int64 (n).
        rows: row numbers, int64 (b, m).
        width: number of counts of a resample.
    """
    counts = np.zeros((len(rows), width))
    for resample in range(len(rows)):
        for row in rows[resample]:
            counts[resample, count_index[row]] += 1
    return counts


@compiled("float64[:, :, :]", "float64[:]", "int64", "int64[:]", "int64", returns="float64[:, :]")
def metric_sums(counts, probabilities, predicted, bins_of, bins):  # type: ignore[no-untyped-def]
    """Compute the sums from which the metrics of each of b resamples follow.

    Args:
        counts: accidents by label and distinct probability, float64 (b, 2, k).
        probabilities: distinct probabilities, highest first, float64 (k).
        predicted: how many of them reach the decision threshold.
        bins_of: calibration bin of each, int64 (k).
        bins: number of calibration bins.

    Returns:
        float64 (8, b) with the rows: positives; negatives; true positives; false positives; concordant pairs of a
        positive and a negative, ties one half; precision summed over positives; squared errors; distances between
        predicted and observed positives, summed over bins.
    """
    result = np.zeros((8, len(counts)))
    for resample in range(len(counts)):
        gaps = np.zeros(bins)
        tp = fp = true_positives = false_positives = concordant = precision_sum = squared_errors = 0.0
        for position in range(len(probabilities)):
            probability = probabilities[position]
            positives, negatives = counts[resample, 1, position], counts[resample, 0, position]
            tp += positives  # true and false positives at a threshold of `probability`
            fp += negatives
            concordant += negatives * (tp - positives / 2)
            if positives:
                precision_sum += positives * tp / (tp + fp)
            squared_errors += positives * (1 - probability) ** 2 + negatives * probability**2
            gaps[bins_of[position]] += positives * (1 - probability) - negatives * probability
            if position < predicted:
                true_positives, false_positives = tp, fp
        gap = np.abs(gaps).sum()
        sums = (tp, fp, true_positives, false_positives, concordant, precision_sum, squared_errors, gap)
        for row, value in enumerate(sums):
            result[row, resample] = value
    return result
