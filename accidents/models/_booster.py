"""What boosters have in common: when they stop, and how few accidents, or many, are asked of their trees."""

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from accidents.configuration.base import Settings
from accidents.models.base import Matrix, Model, P, Vector

if TYPE_CHECKING:
    from accidents.models._tree_ensemble import Trees

FEW = 16
"""Rows up to which walking down the trees is faster than asking the library (`accidents.models._tree_ensemble`)."""


class Stopping(Settings):
    """How many trees there are at most."""

    rounds: int = Field(1000, ge=1, description="greatest number of trees")
    patience: int = Field(30, ge=1, description="trees without a gain on the validation part before it stops")

    def of_library(self) -> dict[str, Any]:
        """The other hyperparameters, which the library knows by these names."""
        return self.model_dump(exclude=set(Stopping.model_fields))


class Boosted(Model[P]):
    """A booster; both ways give the same log-odds, to the last bit."""

    def margin(self, X: Matrix, threads: int = 1) -> Vector:
        """Log-odds, the sum of the trees' leaf values in the precision of the library."""
        if len(X) <= FEW and self._trees:
            return self._trees.margin(X).astype(np.float64, copy=False)
        return self.asked(X, threads)

    @abstractmethod
    def asked(self, X: Matrix, threads: int) -> Vector:
        """Log-odds by the library."""

    @abstractmethod
    def trees(self) -> "Trees | None":
        """The trees of the booster, or None if they are of another kind; reading them imports numba, which is slow."""

    @cached_property
    def _trees(self) -> "Trees | None":
        return self.trees()
