"""From accidents to features: one function for training, batch scoring and a single request.

`feature_frame` gives the frame of all features, `feature_matrix` the columns of one model, `feature_vector` the
features of a single accident. `catalogue` documents every column,
`place_encoder` learns places from training accidents.
"""

from accidents.features.catalogue import feature_names
from accidents.features.frame import feature_frame, feature_matrix, feature_vector

__all__ = ["feature_frame", "feature_matrix", "feature_names", "feature_vector"]
