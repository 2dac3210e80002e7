"""Labelled accidents as datasets for models: whole and as callers know them, with places encoded without leakage."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.configuration.training import TrainingSettings
from accidents.features import feature_matrix, feature_names
from accidents.features.arrays import Arrays
from accidents.features.catalogue import CELLS, FEATURES
from accidents.features.compute import place_cells
from accidents.features.place_encoder import PlaceEncoder
from accidents.features.specification import FeatureKind
from accidents.knowledge.masks import draw_mask
from accidents.models.base import Dataset
from accidents.tables import LABEL
from accidents.training.split import hash_uniform

Rows = npt.NDArray[np.intp]
"""Positions of rows."""


@dataclass(frozen=True)
class TrainingData:
    """A frame of `join_labels`, and how models are trained on it."""

    frame: pd.DataFrame
    level: str
    geography: bool
    settings: TrainingSettings
    arrays: Arrays | None = None
    """The same accidents before features are computed, to mask cells; None for whole accidents alone."""

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

    @property
    def knowledge_columns(self) -> tuple[str, ...]:
        """Columns that say how much is known; empty without masks."""
        known = tuple(name for name in self.columns if name.startswith("known_"))
        return known if self.arrays is not None and self.settings.masked_share else ()

    def fit_transform(self, rows: Rows) -> tuple[PlaceEncoder | None, Dataset]:
        """Fit the place encoder on `rows`, and build their dataset with out-of-fold encodings.

        A share of the rows, `settings.masked_share`, stands in it a second time, with what callers leave out.
        """
        selected, y = self.frame.iloc[rows], self.labels(rows)
        masked = self._mask(rows, 0)
        encoder, encoded = None, None
        if self.geography:
            encoder, encoded = PlaceEncoder(self.settings.encoder_strength).fit_out_of_fold(
                selected[list(CELLS)],
                y,
                folds=self.settings.encoder_folds,
                seed=self.settings.seed,
                masked=None if masked is None else place_cells(masked),
            )
        X = feature_matrix(selected, self.columns, encoded=None if encoded is None else encoded[: len(y)])
        if masked is None:
            return encoder, Dataset(X, y)
        twice = hash_uniform(selected["Num_Acc"].to_numpy(), self.settings.seed) < self.settings.masked_share
        also = feature_matrix(masked, self.columns, encoded=None if encoded is None else encoded[len(y) :])
        return encoder, Dataset(np.concatenate([X, also[twice]]), np.append(y, y[twice]))

    def transform(self, rows: Rows, encoder: PlaceEncoder | None, masks: int = 0) -> Dataset:
        """Build the dataset of `rows` with an encoder that was fitted on other rows.

        Args:
            rows: of the accidents.
            encoder: the fitted encoder.
            masks: how often each accident follows again, each time with other cells left out; without `arrays` never.
        """
        X = [feature_matrix(self.frame.iloc[rows], self.columns, encoder)]
        for number in range(1, masks + 1):
            masked = self._mask(rows, number)
            X += [] if masked is None else [feature_matrix(masked, self.columns, encoder)]
        return Dataset(np.concatenate(X), np.tile(self.labels(rows), len(X)))

    def _mask(self, rows: Rows, number: int) -> Arrays | None:
        """The accidents `rows` as callers know them, drawn anew for each number; None without masks."""
        if self.arrays is None or not self.settings.masked_share:
            return None
        arrays = self.arrays.take(rows)
        return draw_mask(arrays, np.random.default_rng((self.settings.seed, number))).apply(arrays)
