"""Labelled accidents as datasets for models, with places target-encoded without leakage."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.configuration.training import TrainingSettings
from accidents.features import feature_matrix, feature_names
from accidents.features.catalogue import CELLS, FEATURES
from accidents.features.place_encoder import PlaceEncoder
from accidents.features.specification import FeatureKind
from accidents.models.base import Dataset
from accidents.tables import LABEL

Rows = npt.NDArray[np.intp]
"""Positions of rows."""


@dataclass(frozen=True)
class TrainingData:
    """A frame of `join_labels`, and how models are trained on it."""

    frame: pd.DataFrame
    level: str
    geography: bool
    settings: TrainingSettings

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of every matrix."""
        return tuple(feature_names(self.level, self.geography))

    @property
    def categorical_features(self) -> tuple[int, ...]:
        """Positions of the columns that hold unordered codes."""
        coded = {feature.name for feature in FEATURES if feature.kind is FeatureKind.CATEGORY}
        return tuple(position for position, name in enumerate(self.columns) if name in coded)

    def labels(self, rows: Rows) -> npt.NDArray[np.int8]:
        """Labels of `rows`, int8."""
        return self.frame[LABEL].to_numpy(np.int8)[rows]

    def fit_transform(self, rows: Rows) -> tuple[PlaceEncoder | None, Dataset]:
        """Fit the place encoder on `rows`, and build their dataset with out-of-fold encodings."""
        selected, y = self.frame.iloc[rows], self.labels(rows)
        encoder, encoded = None, None
        if self.geography:
            encoder, encoded = PlaceEncoder(self.settings.encoder_strength).fit_out_of_fold(
                selected[list(CELLS)], y, folds=self.settings.encoder_folds, seed=self.settings.seed
            )
        return encoder, Dataset(feature_matrix(selected, self.columns, encoded=encoded), y)

    def transform(self, rows: Rows, encoder: PlaceEncoder | None) -> Dataset:
        """Build the dataset of `rows` with an encoder that was fitted on other rows."""
        return Dataset(feature_matrix(self.frame.iloc[rows], self.columns, encoder), self.labels(rows))
