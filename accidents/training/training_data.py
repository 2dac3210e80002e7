"""Labelled accidents as datasets for models, whole or as callers know them, with places encoded without leakage."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple, TypeVar

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
from accidents.training.shared_results import SharedResults

R = TypeVar("R")
Rows = npt.NDArray[np.intp]
"""Positions of rows."""

MASKED_AT_MOST = 200_000
"""Masked accidents to learn from; a sample where there are more, so that memory does not grow (docs/scale.md)."""

_BLOCK = 50_000  # accidents whose matrix is computed at a time


class MaskedAccidents(NamedTuple):
    """Accidents with fields left out: their matrix, float32, and which of the rows they were drawn from each is."""

    X: Matrix
    rows: Rows


@dataclass(frozen=True)
class TrainingData:
    """A frame of `join_labels`, and how models are trained on it."""

    frame: pd.DataFrame
    level: str
    geography: bool
    settings: TrainingSettings
    arrays: Arrays | None = None
    """The same accidents before features are computed, to leave fields out; None without partial knowledge."""
    engine: Engine = field(default=LOCAL, kw_only=True)
    """Where models are fitted."""
    report: Callable[[str], None] = field(default=lambda _: None, kw_only=True)
    """Called with a message every few seconds of a fit."""
    shared: SharedResults | None = field(default=None, kw_only=True)
    """Results in common with trainings of other model types on the same frame; None where there are none."""

    @property
    def shares_matrices(self) -> bool:
        """Whether trainings of other model types use the same matrices, which must then stay as they are."""
        return self.shared is not None and self.shared.keep_large

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of every matrix."""
        return feature_names(self.level, self.geography)

    @property
    def knowledge_columns(self) -> tuple[str, ...]:
        """Names of the columns that say how much is known."""
        return knowledge_names(self.level, self.geography)

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
        return self.share(("dataset", rows.tobytes()), lambda: self._fit_transform(rows, ())[:2])

    def fit_transform_masked(
        self, rows: Rows, arrays: Arrays, times: int
    ) -> tuple[PlaceEncoder | None, Dataset, MaskedAccidents]:
        """As `fit_transform`, whose later calls use the result, with the same accidents as callers may know them.

        Args:
            rows: of the accidents.
            arrays: of all accidents.
            times: how often each accident is masked, each time with other fields left out; less often, or a sample
                of the accidents, where they would be more than `MASKED_AT_MOST`.

        Returns:
            The encoder, the dataset of `rows`, and the masked accidents with the columns `matrix_columns`.
        """
        times = min(times, max(1, MASKED_AT_MOST // len(rows)))
        encoder, dataset, X, drawn = self._fit_transform_masked(rows, arrays, times)
        self.share(("dataset", rows.tobytes()), lambda: (encoder, dataset))
        return encoder, dataset, MaskedAccidents(X, np.tile(drawn, times))

    def share(self, name: Hashable, compute: Callable[[], R], *, large: bool = True) -> R:
        """The result of `compute`, which depends on the name, on this object, and not on the model type."""
        if self.shared is None:
            return compute()
        settings = self.settings
        key = self.level, self.geography, settings.seed, settings.encoder_folds, settings.encoder_strength
        return self.shared.get((name, key), compute, large=large)

    def _fit_transform_masked(
        self, rows: Rows, arrays: Arrays, times: int
    ) -> tuple[PlaceEncoder | None, Dataset, Matrix, Rows]:
        rng = np.random.default_rng(self.settings.seed)
        drawn = np.arange(len(rows))
        if len(rows) > MASKED_AT_MOST:
            drawn = np.sort(rng.choice(len(rows), MASKED_AT_MOST, replace=False))
        selected = arrays.take(rows[drawn])
        masked = [draw_mask(selected, rng).apply(selected) for _ in range(times)]
        encoder, dataset, encoded = self._fit_transform(rows, masked, drawn)
        X = np.empty((times * len(drawn), len(self.matrix_columns)), np.float32)
        for time, start in product(range(times), range(0, len(drawn), _BLOCK)):
            block = np.arange(start, min(start + _BLOCK, len(drawn)))
            known = encoded[time][block] if encoded else None
            X[time * len(drawn) + block] = feature_matrix(masked[time].take(block), self.matrix_columns, encoded=known)
        return encoder, dataset, X, drawn

    def _fit_transform(
        self, rows: Rows, masked: Sequence[Arrays], drawn: Rows | None = None
    ) -> tuple[PlaceEncoder | None, Dataset, list[Matrix]]:
        y = self.labels(rows)
        if not self.geography:
            return None, Dataset(self._matrix(rows), y), []
        encoder, encoded, of_masked = PlaceEncoder(self.settings.encoder_strength).fit_out_of_fold(
            self.frame[list(CELLS)].iloc[rows],
            y,
            folds=self.settings.encoder_folds,
            seed=self.settings.seed,
            masked=[*map(place_cells, masked)],
            drawn=drawn,
            mapper=self.engine.map,
        )
        return encoder, Dataset(self._matrix(rows, encoded=encoded), y), of_masked

    def _matrix(self, rows: Rows, encoder: PlaceEncoder | None = None, encoded: Matrix | None = None) -> Matrix:
        """The matrix of `rows`, computed in blocks: a frame of many columns is copied on its way several times."""
        X = np.empty((len(rows), len(self.columns)), np.float32)
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            known = None if encoded is None else encoded[block]
            X[block] = feature_matrix(self.frame.iloc[rows[block]], self.columns, encoder, encoded=known)
        return X

    def transform(self, rows: Rows, encoder: PlaceEncoder | None) -> Dataset:
        """Build the dataset of `rows` with an encoder that was fitted on other rows."""
        return Dataset(self._matrix(rows, encoder), self.labels(rows))
