"""Newton's method for a logistic regression with an L2 penalty, over rows that come in blocks.

Memory holds one block and the matrix of second derivatives, whatever the number of rows. That matrix takes most of the
time, and is used for further steps as long as they come nearer fast.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from accidents.models.base import FitProgress, Vector

_SMALL, _SMALLEST = 1e-5, 2e-7  # gradients of the mean log loss; between them rounding may end the progress
_SLOW = 0.2  # of the gradient that is left after a step; above, the second derivatives are computed again
_HALVINGS = 30
_ROUNDING = 1e-7  # of the mean log loss, whose margins are float32
_USUAL_STEPS = 7


class Block(NamedTuple):
    """Some rows: standardised terms, float32 (k, n); labels 0 or 1, (n); weights, float64 (n), 1 over all rows."""

    terms: npt.NDArray[np.float32]
    y: npt.NDArray[np.int8]
    weight: Vector


Blocks = Callable[[], Iterable[Block]]
"""Yields all rows, the same ones each time that it is called."""


def fit_newton(blocks: Blocks, terms: int, penalty: float, iterations: int, progress: FitProgress) -> Vector:
    """Minimise the weighted mean of the log loss plus `penalty / 2` times the sum of squared weights of the terms.

    Args:
        blocks: the rows.
        terms: their number, k.
        penalty: positive; the intercept has none.
        iterations: greatest number of steps.
        progress: called after each step; how many there will be is an estimate.

    Returns:
        float64 (k + 1), the weights of the terms, and the intercept.
    """
    penalties, solution = np.append(np.full(terms, penalty), 0.0), np.zeros(terms + 1)
    loss, gradient = _loss(blocks(), solution, penalties)
    hessian, left = None, np.inf
    for done in range(1, iterations + 1):
        size = np.abs(gradient).max()
        is_slow = size > _SLOW * left
        if size <= _SMALLEST or (is_slow and size <= _SMALL):
            break
        if hessian is None or is_slow:
            hessian = _second_derivatives(blocks(), solution, penalties)
        step, left = np.linalg.solve(hessian, -gradient), size
        for halving in range(_HALVINGS):
            candidate = solution + 0.5**halving * step
            new_loss, gradient = _loss(blocks(), candidate, penalties)
            if new_loss <= loss * (1 + _ROUNDING):
                break
        solution, loss = candidate, new_loss
        progress(done, min(iterations, max(_USUAL_STEPS, done + 1)))
    return solution


def _margin(block: Block, solution: Vector) -> Vector:
    return (solution[:-1].astype(np.float32) @ block.terms).astype(np.float64) + solution[-1]


def _loss(blocks: Iterable[Block], solution: Vector, penalties: Vector) -> tuple[float, Vector]:
    """Mean loss with penalty, and its gradient."""
    loss, gradient = float(penalties @ solution**2) / 2, penalties * solution
    for block in blocks:
        margin = _margin(block, solution)
        loss += float(block.weight @ (np.logaddexp(0, margin) - block.y * margin))
        residual = block.weight * (1 / (1 + np.exp(-margin)) - block.y)
        gradient += np.append(block.terms @ residual.astype(np.float32), residual.sum())
    return loss, gradient


def _second_derivatives(blocks: Iterable[Block], solution: Vector, penalties: Vector) -> Vector:
    """Matrix of second derivatives, float64 (k + 1, k + 1)."""
    hessian = np.diag(penalties)
    for block in blocks:
        probability = 1 / (1 + np.exp(-_margin(block, solution)))
        root = np.sqrt(block.weight * probability * (1 - probability)).astype(np.float32)
        scaled = np.vstack([block.terms * root, root])
        hessian += scaled @ scaled.T  # NumPy computes half of the product of a matrix with itself
    return hessian
