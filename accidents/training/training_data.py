"""Labelled accidents as datasets for models, whole or as callers know them, with places encoded without leakage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.configuration.training import TrainingSettings
from accidents.engine import LOCAL, Engine
from accidents.features import feature_matrix, feature_names
from accidents.features.arrays import Arrays
from accidents.features.catalogue import CELLS, FEATURES, with_knowledge
from accidents.features.compute import place_cells
from accidents.features.knowledge_columns import knowledge_names
from accidents.features.place_encoder import PlaceEncoder
from accidents.features.specification import FeatureKind
from accidents.knowledge.masks import draw_mask
from accidents.models.base import Dataset, Matrix
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
    arrays: Arrays | None = None
    """The same accidents before features are computed, to leave fields out; None without partial knowledge."""
    engine: Engine = LOCAL
    """Where models are fitted."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of every matrix."""
        return tuple(feature_names(self.level, self.geography))

    @property
    def knowledge_columns(self) -> tuple[str, ...]:
        """Names of the columns that say how much is known."""
        return tuple(knowledge_names(self.level, self.geography))

    @property
    def matrix_columns(self) -> tuple[str, ...]:
        """Names of the columns of a matrix of masked accidents."""
        return with_knowledge(self.columns, self.knowledge_columns)

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
        encoder, dataset, _ = self._fit_transform(rows, ())
        return encoder, dataset

    def fit_transform_masked(
        self, rows: Rows, arrays: Arrays, times: int
    ) -> tuple[PlaceEncoder | None, Dataset, Matrix]:
        """As `fit_transform`, with the matrix of the same accidents as callers may know them.

        Args:
            rows: of the accidents.
            arrays: of all accidents.
            times: how often each accident is masked, each time with other fields left out.

        Returns:
            The encoder, the dataset of `rows`, and float32 (times len(rows), len(matrix_columns)).
        """
        selected, rng = arrays.take(rows), np.random.default_rng(self.settings.seed)
        masked = [draw_mask(selected, rng).apply(selected) for _ in range(times)]
        encoder, dataset, encoded = self._fit_transform(rows, masked)
        parts = [None] * times if encoded is None else np.split(encoded, times)
        X = [feature_matrix(one, self.matrix_columns, encoded=part) for one, part in zip(masked, parts, strict=True)]
        return encoder, dataset, np.concatenate(X)

    def _fit_transform(
        self, rows: Rows, masked: Sequence[Arrays]
    ) -> tuple[PlaceEncoder | None, Dataset, Matrix | None]:
        selected, y = self.frame.iloc[rows], self.labels(rows)
        if not self.geography:
            return None, Dataset(feature_matrix(selected, self.columns), y), None
        encoder, encoded = PlaceEncoder(self.settings.encoder_strength).fit_out_of_fold(
            selected[list(CELLS)],
            y,
            folds=self.settings.encoder_folds,
            seed=self.settings.seed,
            masked=[*map(place_cells, masked)],
            mapper=self.engine.map,
        )
        X = feature_matrix(selected, self.columns, encoded=encoded[: len(y)])
        return encoder, Dataset(X, y), encoded[len(y) :]

    def transform(self, rows: Rows, encoder: PlaceEncoder | None) -> Dataset:
        """Build the dataset of `rows` with an encoder that was fitted on other rows."""
        return Dataset(feature_matrix(self.frame.iloc[rows], self.columns, encoder), self.labels(rows))
