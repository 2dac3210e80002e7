"""Maximum-entropy fit of the scores from which the label of synthetic accidents is drawn."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit

from accidents.sample import injuries
from accidents.sample.encoding import CodedFrame
from accidents.sample.probability_tables import MIN_ROWS, combination_index

SMOOTHING = 10.0
"""Pseudo-count: average accidents added to every combination before its share of priority is computed."""

PENALTY = 18.0
"""L2 penalty of the scores: the smaller it is, the higher is the ROC-AUC of models of the synthetic accidents."""


def fit_scores(real: CodedFrame, synthetic: CodedFrame, size: dict[str, int]) -> pd.DataFrame:
    """Fit scores so that every frequent combination has the same share of priority in synthetic and in real accidents.

    They are not the scores of a logistic regression on real accidents, because columns of synthetic accidents depend
    less on each other. The log-odds of an accident are x·s, where x indicates its combinations. For every combination
    the expected sum of x over the priority accidents is given; s is the maximum-entropy solution with a small L2
    penalty.

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
        frequent = np.flatnonzero(column >= 0)
        blocks.append(csr_matrix((np.ones(len(frequent)), (frequent, column[frequent])), shape=(rows, len(values))))
        tables.append((np.full(len(values), number), values, shares))
    facts = hstack(blocks).tocsr()
    factors, combinations, shares = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    expected = np.asarray(facts.sum(axis=0)).ravel() * shares
    penalty = np.where(factors < 0, 0.0, PENALTY * rows / len(priority))

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = facts @ scores
        value = np.logaddexp(0, log_odds).sum() - scores @ expected + (penalty * scores**2).sum() / 2
        return value / rows, (facts.T @ expit(log_odds) - expected + penalty * scores) / rows

    fitted = minimize(loss, np.zeros(len(shares)), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return pd.DataFrame({"factor": factors, "combination": combinations, "score": fitted.round(3)})
