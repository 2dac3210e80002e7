"""The one loop of the forest that NumPy has no word for: every row walks down every tree."""

import numpy as np

from accidents.features.jit import compiled


@compiled("float32[:, :]", "int32[:]", "int16[:]", "float32[:]", "int32[:]", "float32[:]", gives="float64[:]")
def average_leaf(X, roots, feature, threshold, right, value):  # type: ignore[no-untyped-def]
    """Average of the leaf values that each row ends in, float64 (n); arrays as in `random_forest.Classifier`."""
    result = np.empty(len(X))
    for row in range(len(X)):
        total = 0.0
        for root in roots:
            node = root
            while feature[node] >= 0:
                node = node + 1 if X[row, feature[node]] <= threshold[node] else right[node]
            total += value[node]
        result[row] = total / len(roots)
    return result
