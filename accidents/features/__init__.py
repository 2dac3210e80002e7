"""Features of accidents: one function for training, batch scoring and a single request.

`feature_frame` computes all features, `feature_matrix` the columns of one model. `catalogue` defines every column;
`place_encoder` is fitted on training accidents.
"""

from accidents.features.catalogue import feature_names
from accidents.features.frame import feature_frame, feature_matrix

__all__ = ["feature_frame", "feature_matrix", "feature_names"]
