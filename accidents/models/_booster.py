"""Base of gradient boosters: early stopping, joint fits, and predictions of a few rows without the library."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field

from accidents.models.base import Dataset, Matrix, Model, P, Vector
from accidents.settings import Settings

if TYPE_CHECKING:
    from accidents.models._tree_ensemble import TreeEnsemble

FEW_ROWS = 16
"""Greatest number of rows for which `TreeEnsemble` is faster than the library."""


Member = tuple[str, int]
"""A process of a joint fit: its host, and a free port."""


class EarlyStopping(Settings):
    """Hyperparameters of early stopping."""

    rounds: int = Field(1000, ge=1, description="greatest number of trees")
    patience: int = Field(30, ge=1, description="trees without a gain on the validation set before it stops")

    def library_parameters(self) -> dict[str, Any]:
        """Hyperparameters of the library, under its own names."""
        return self.model_dump(exclude=set(EarlyStopping.model_fields))


class Booster(Model[P]):
    """A gradient booster. The library and the tree ensemble give the same log-odds, to the last bit."""

    def predict_margin(self, X: Matrix, threads: int = 1) -> Vector:
        """Predict log-odds, the sum of leaf values in the precision of the library."""
        if len(X) <= FEW_ROWS and self._trees:
            return self._trees.leaf_sums(X).astype(np.float64, copy=False)
        return self.library_margin(X, threads)

    @classmethod
    @abstractmethod
    def coordinate(cls, members: Sequence[Member]) -> AbstractContextManager[Mapping[str, Any]]:
        """Coordinate a joint fit of several processes while the block runs.

        Yields:
            What every member has to know, for `fit_together`.
        """

    @classmethod
    @abstractmethod
    def fit_together(
        cls,
        training: Dataset,
        validation: Dataset | None,
        *,
        group: Mapping[str, Any],
        member: Member,
        **options: Any,
    ) -> Self:
        """Fit as one member of a joint fit.

        Args:
            training: the share of this member.
            validation: accidents for early stopping, the same for all members.
            group: from `coordinate`.
            member: this process.
            **options: other arguments of `fit`.

        Returns:
            The model, the same in all members.

        Raises:
            Exception: of the library; another member has failed.
        """

    @abstractmethod
    def first_trees(self, share: float) -> Self:
        """The booster of a share of the trees, those fitted first; of one tree at least."""

    @abstractmethod
    def library_margin(self, X: Matrix, threads: int) -> Vector:
        """Log-odds by the library."""

    @abstractmethod
    def tree_ensemble(self) -> "TreeEnsemble | None":
        """The trees, or None if `TreeEnsemble` does not support them; imports numba, which is slow."""

    @cached_property
    def _trees(self) -> "TreeEnsemble | None":
        return self.tree_ensemble()
