"""Compares the value distributions of columns with their reference: swapped, emptied and constant columns.

Swapped columns of different kinds break their rules. Two code columns may hold each other's values without a single
invalid cell; they are detected by likelihood: each other's reference distribution explains the file clearly better than
their own.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from accidents.cleaning.value_distribution import count_value_classes, log_probabilities, reference_shares
from accidents.columns import MISSING
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.issues import Action, DataIssue
from accidents.reading.layout import Layout
from accidents.reading.typed_table import ParsedFile

_MIN_CELLS = 200  # fewer are no evidence
_EMPTIED_FACTOR = 3  # a column with too few cells counts where this many times the least number is expected
_MAX_REFERENCE_MISSING = 0.1  # share of missing cells below which a column is usually recorded
_MAX_REFERENCE_MODE = 0.9  # share of the commonest value below which a column is usually varied
_MIN_CONSTANT_CELLS = 1000  # fewer cells may be alike by chance
_CONSTANT_IN_A_PART = frozenset({"mois", "catr", "agg"})
_CHECKED_ELSEWHERE = frozenset({"grav"})  # the distribution of the label is part of the expectations
_MIN_REFERENCE_INFORMATIVE = 0.1  # share of informative cells below which a column may be empty
_MIN_DIFFERENCE = 0.5  # difference in the share of informative cells that distinguishes two columns


def find_swapped_columns(file: ParsedFile, limits: DataQualityLimits) -> list[DataIssue]:
    """Find pairs of columns with swapped contents; each stops the run.

    The evidence for a swap is the mean gain in log likelihood of exchanging the two references:
    sum(n * (log p_other - log p_own)) / sum(n), with n the recorded cells and p the reference shares by class of value;
    a column that has lost most of its cells gives none. Neither column may contradict, and the mean of both must reach
    the limit: in January every month is 1, as most light codes are, but the light codes then do not look like months.
    Columns that are usually recorded and columns that are seldom recorded are distinguished by that as well.
    """
    counts = count_value_classes(file.frame, file.table)
    reference = reference_shares(file.table, file.layout)
    shares = (_informative_share,) if file.layout is Layout.UNTIL_2018 else (_informative_share, _recorded_share)
    remedy = "Correct the header, or use the official file"
    issues = []
    for one, other in combinations([name for name in counts if name in reference], 2):
        distributions = counts[one], counts[other], reference[one], reference[other]
        if _swap_evidence(*distributions) > limits.exchanged_evidence or any(
            _presence_swapped(share, *distributions) for share in shares
        ):
            place, rows = f"{one}, {other}", len(file.frame)
            check = f"the contents of the columns {one} and {other} are swapped: each holds what the other usually does"
            issues.append(DataIssue(file.file, place, check, rows, 1.0, Action.STOPPED, first_rows=(1,), remedy=remedy))
    return issues


def find_emptied_columns(file: ParsedFile, limits: DataQualityLimits) -> list[DataIssue]:
    """Find columns that are usually recorded and mostly missing in this file; each stops the run."""
    reference = reference_shares(file.table, file.layout)
    issues = []
    for name, counts in count_value_classes(file.frame, file.table).items():
        if name not in reference or _informative_share(reference[name]) < _MIN_REFERENCE_INFORMATIVE:
            continue
        usual = reference[name][-1]
        if usual < _MAX_REFERENCE_MISSING and counts[-1] / counts.sum() > limits.emptied:
            missing = file.frame[name].isin([MISSING]).to_numpy() | file.frame[name].isna().to_numpy()
            check = f"hardly recorded: usually {usual:.0%} of the cells are missing"
            remedy = "The column was emptied or replaced: use the official file"
            issues.append(file.issue(check, missing, Action.STOPPED, column=name, remedy=remedy))
    return issues


def find_constant_columns(file: ParsedFile) -> list[DataIssue]:
    """Find columns with one value in all recorded cells, where the reference has several; each stops the run.

    A part of a year may have one month, and one town one kind of road, inside a built-up area. Columns of the layout
    until 2018 are not checked: some were hardly ever filled in with more than one code.
    """
    if file.layout is Layout.UNTIL_2018:
        return []
    reference = reference_shares(file.table, file.layout)
    issues = []
    for name, counts in count_value_classes(file.frame, file.table).items():
        recorded = counts[:-1].sum()
        checked = name in reference and name not in _CONSTANT_IN_A_PART | _CHECKED_ELSEWHERE
        if not checked or recorded < _MIN_CONSTANT_CELLS or counts[:-1].max() < recorded:
            continue
        mode = reference[name][:-1].max() / max(reference[name][:-1].sum(), 1e-9)
        if mode < _MAX_REFERENCE_MODE:
            every_row = np.ones(len(file.frame), dtype=bool)
            check = f"the same value in every row: usually at most {mode:.0%} of the rows share one"
            remedy = "The column was overwritten: use the official file"
            values = file.frame[name]
            issues.append(file.issue(check, every_row, Action.STOPPED, column=name, values=values, remedy=remedy))
    return issues


def _swap_evidence(one: np.ndarray, other: np.ndarray, reference_one: np.ndarray, reference_other: np.ndarray) -> float:
    """Nats a cell in favour of a swap; 0 or less where either column contradicts it."""
    # A 0 that one of the columns never has means "missing" there, and is no evidence.
    first = 0 if reference_one[0] and reference_other[0] else 1
    gain = log_probabilities(reference_other[first:-1]) - log_probabilities(reference_one[first:-1])
    evidence = []
    for counts, reference, own_gain in ((one, reference_one, gain), (other, reference_other, -gain)):
        recorded = counts[first:-1]
        if recorded.sum() >= _MIN_CELLS:
            evidence.append(float(np.dot(recorded, own_gain) / recorded.sum()))
        elif reference[first:-1].sum() * counts.sum() >= _EMPTIED_FACTOR * _MIN_CELLS:
            evidence.append(0.0)
        else:
            return 0.0
    return sum(evidence) / 2 if min(evidence) >= 0 else 0.0


def _presence_swapped(
    share: Callable[[np.ndarray], float],
    one: np.ndarray,
    other: np.ndarray,
    reference_one: np.ndarray,
    reference_other: np.ndarray,
) -> bool:
    if one.sum() < _MIN_CELLS:
        return False
    expected = share(reference_one) - share(reference_other)
    return abs(expected) > _MIN_DIFFERENCE and (share(one) - share(other)) * np.sign(expected) < -_MIN_DIFFERENCE


def _informative_share(counts: np.ndarray) -> float:
    """Share of cells that are neither 0 nor missing: until 2018 "nothing" is written 0, 000 or not at all."""
    return float(counts[1:-1].sum() / counts.sum())


def _recorded_share(counts: np.ndarray) -> float:
    """Share of cells that are not missing."""
    return float(counts[:-1].sum() / counts.sum())
