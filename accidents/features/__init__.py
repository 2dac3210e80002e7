"""From accidents to features: one function for training, batch scoring and a single request.

`build` gives the frame of all features, `matrix` what a model of a level sees of it, `vector` the features of a single
accident; `catalogue` documents every column, `encoders` learns places from training accidents.
"""

from accidents.features.catalogue import names
from accidents.features.frame import build, matrix, vector

__all__ = ["build", "matrix", "names", "vector"]
