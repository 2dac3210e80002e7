"""A quasi-Newton method for a logistic regression with an L2 penalty, over rows that come in blocks.

Memory holds one block and the matrix of second derivatives, whatever the number of rows. That matrix takes as long as
ten steps. So it is computed once, at zero, and L-BFGS (Nocedal and Wright, 2006, algorithm 7.4) corrects it by the
gradients.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from accidents.models.base import FitProgress, Vector

_SMALL = 5e-7  # gradient of the mean log loss
_REMEMBERED = 30  # steps
_RIDGE = 1e-5  # on second derivatives, which are rounded
_HALVINGS = 30
_ROUNDING = 1e-7  # of the mean log loss, whose margins are float32
_USUAL_STEPS = 16


class Block(NamedTuple):
    """Some rows: standardised terms, float32 (k, n); labels 0 or 1, (n); weights, float64 (n), 1 over all rows."""

    terms: npt.NDArray[np.float32]
    y: npt.NDArray[np.int8]
    weight: Vector


class CorrectionPair(NamedTuple):
    """A step, and the change of the gradient that came with it."""

    step: Vector
    gradient: Vector


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
    from scipy.linalg import cho_factor

    penalties, solution = np.append(np.full(terms, penalty), 0.0), np.zeros(terms + 1)
    loss, gradient = _loss(blocks(), solution, penalties)
    curvature = cho_factor(_second_derivatives(blocks(), solution, penalties + _RIDGE))
    changes: deque[CorrectionPair] = deque(maxlen=_REMEMBERED)
    for done in range(1, iterations + 1):
        if np.abs(gradient).max() <= _SMALL:
            break
        direction = _direction(gradient, curvature, changes)
        for halving in range(_HALVINGS):
            step = 0.5**halving * direction
            new_loss, new_gradient = _loss(blocks(), solution + step, penalties)
            if new_loss <= loss * (1 + _ROUNDING):
                break
        change = CorrectionPair(step, new_gradient - gradient)
        if change.step @ change.gradient > 0:
            changes.append(change)
        solution, loss, gradient = solution + step, new_loss, new_gradient
        progress(done, min(iterations, max(_USUAL_STEPS, done + 1)))
    return solution


def _direction(gradient: Vector, curvature: tuple[Vector, bool], changes: Sequence[CorrectionPair]) -> Vector:
    """Where L-BFGS goes on: minus the gradient, over second derivatives that agree with the changes."""
    from scipy.linalg import cho_solve

    direction, shares = -gradient, []
    for step, difference in reversed(changes):
        shares.append(step @ direction / (step @ difference))
        direction = direction - shares[-1] * difference
    direction = cho_solve(curvature, direction)
    if changes:
        step, difference = changes[-1]
        direction *= step @ difference / (difference @ cho_solve(curvature, difference))
    for (step, difference), share in zip(changes, reversed(shares), strict=True):
        direction = direction + step * (share - difference @ direction / (step @ difference))
    return direction


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
