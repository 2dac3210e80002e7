"""Labelled accidents as models see them: matrices with places encoded from the rows that may teach them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.features import feature_matrix, feature_names
from accidents.features.catalogue import CELLS, FEATURES
from accidents.features.place_encoder import PlaceEncoder
from accidents.features.specification import FeatureKind
from accidents.models.base import Dataset
from accidents.tables import LABEL

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Examples:
    """A frame as `labelled` gives it, and how models look at it. Rows are given by position."""

    frame: pd.DataFrame
    level: str
    geography: bool
    encoder_folds: int
    encoder_strength: float
    seed: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of every matrix."""
        return tuple(feature_names(self.level, self.geography))

    @property
    def categories(self) -> tuple[int, ...]:
        """Positions of the columns that hold codes without an order."""
        coded = {feature.name for feature in FEATURES if feature.kind is FeatureKind.CATEGORY}
        return tuple(position for position, name in enumerate(self.columns) if name in coded)

    def labels(self, rows: Rows) -> npt.NDArray[np.int8]:
        """Labels of `rows`, int8."""
        return self.frame[LABEL].to_numpy(np.int8)[rows]

    def learn(self, rows: Rows) -> tuple[PlaceEncoder | None, Dataset]:
        """Fit the place encoder on `rows`, and encode these rows out of fold."""
        taken, y = self.frame.iloc[rows], self.labels(rows)
        encoder, encoded = None, None
        if self.geography:
            encoder, encoded = PlaceEncoder(self.encoder_strength).fit_out_of_fold(
                taken[list(CELLS)], y, folds=self.encoder_folds, seed=self.seed
            )
        return encoder, Dataset(feature_matrix(taken, self.columns, encoded=encoded), y)

    def apply(self, rows: Rows, encoder: PlaceEncoder | None) -> Dataset:
        """The matrix of `rows`, with places encoded by an encoder that was fitted on other rows."""
        return Dataset(feature_matrix(self.frame.iloc[rows], self.columns, encoder), self.labels(rows))
