"""Scores by which the label of synthetic accidents is drawn; `scripts.build_sample_frequencies` fits them."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit

from accidents.sample import injuries
from accidents.sample.encoding import CodedFrame
from accidents.sample.probability_tables import MIN_ROWS, combination_index

SMOOTHING = 10.0
"""Average accidents that every combination is given besides its own before its share of priority is taken."""

PENALTY = 18.0
"""Of the squares of the scores. It decides how much models can learn: the smaller, the higher their ROC-AUC."""


def fit_scores(real: CodedFrame, synthetic: CodedFrame, size: dict[str, int]) -> pd.DataFrame:
    """Scores with which synthetic accidents are as often priority as the real ones, in every frequent combination.

    Not the scores that explain the real accidents best: synthetic facts hang together less than real ones do. The log
    odds of an accident are x·s, x saying which combinations it has; the sum of x over the priority accidents that the
    scores s are to give is known for every combination, and s follows from it (maximum entropy, with a small penalty).

    Returns:
        Columns `factor`, `combination_index` and `score`; factor -1 is the constant.
    """
    priority = real["priority"]
    rows = len(synthetic["dep"])
    blocks, tables = [csr_matrix(np.ones((rows, 1)))], [(np.array([-1]), np.array([0]), np.array([priority.mean()]))]
    for number, factor in enumerate(injuries.FACTORS):
        widths = [size[name] for name in factor]
        real_cells, synthetic_cells = (
            combination_index([frame[name] for name in factor], widths) for frame in (real, synthetic)
        )
        values, inverse, counts = np.unique(real_cells, return_inverse=True, return_counts=True)
        shares = (np.bincount(inverse, weights=priority) + SMOOTHING * priority.mean()) / (counts + SMOOTHING)
        values, shares = values[counts >= MIN_ROWS], shares[counts >= MIN_ROWS]
        column = pd.Index(values).get_indexer(pd.Index(synthetic_cells))
        found = np.flatnonzero(column >= 0)
        blocks.append(csr_matrix((np.ones(len(found)), (found, column[found])), shape=(rows, len(values))))
        tables.append((np.full(len(values), number), values, shares))
    facts = hstack(blocks).tocsr()
    factors, combinations, shares = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    wanted = np.asarray(facts.sum(axis=0)).ravel() * shares
    penalty = np.where(factors < 0, 0.0, PENALTY * rows / len(priority))

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = facts @ scores
        value = np.logaddexp(0, log_odds).sum() - scores @ wanted + (penalty * scores**2).sum() / 2
        return value / rows, (facts.T @ expit(log_odds) - wanted + penalty * scores) / rows

    fitted = minimize(loss, np.zeros(len(shares)), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return pd.DataFrame({"factor": factors, "combination": combinations, "score": fitted.round(3)})
