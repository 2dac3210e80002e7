"""Whether columns of a file hold what they usually do, or their contents are swapped, gone or all alike.

Swapped columns of different kinds break their rules and need no more. Two code columns may hold each other's values
without a single bad cell; what gives them away is how often each value occurs. Two columns count as swapped when each
other's usual contents explain the file clearly better than their own do.
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

_LEAST_CELLS = 200  # fewer prove nothing
_EMPTIED = 3  # so many times the least number of cells must be usual where fewer than the least number are found
_USUALLY_RECORDED = 0.1  # share of missing cells below which a column is usually recorded
_USUALLY_VARIED = 0.9  # share of the commonest value below which a column is usually varied
_LEAST_ALIKE = 1000  # fewer cells may be alike by chance
_ALIKE_IN_A_PART = frozenset({"mois", "catr", "agg"})
_JUDGED_ELSEWHERE = frozenset({"grav"})  # the distribution of the label is expected to be one thing or another
_USUALLY_TOLD = 0.1  # share of cells that say something below which a column may be empty
_TELLING = 0.5  # difference in the share of cells that say something, which tells two columns apart


def find_swapped_columns(file: ParsedFile, limits: DataQualityLimits) -> list[DataIssue]:
    """Pairs of columns of a file whose contents are swapped; each stops the run.

    The evidence that a column holds what another usually does is the mean gain in log likelihood from exchanging their
    references: sum(n * (log p_other - log p_own)) / sum(n), with n the recorded cells and p the usual shares by class
    of value; a column that has lost most of its cells gives none. Neither column may speak against it, and their mean
    must reach the limit: in January every month is 1, as most light codes are, but the light codes then do not
    look like months. A column that always says something and one that seldom does are told apart by that as well.
    """
    counts = count_value_classes(file.frame, file.table)
    usual = reference_shares(file.table, file.layout)
    names = [name for name in counts if name in usual]
    return [
        DataIssue(
            file.file,
            f"{one}, {other}",
            f"the contents of the columns {one} and {other} are swapped: each holds what the other usually does",
            len(file.frame),
            1.0,
            Action.STOPPED,
            first_rows=(1,),
            remedy="Correct the header, or use the official file",
        )
        for one, other in combinations(names, 2)
        if _evidence(counts[one], counts[other], usual[one], usual[other]) > limits.exchanged_evidence
        or any(
            _presence_swapped(measure, counts[one], counts[other], usual[one], usual[other])
            for measure in ((_told,) if file.layout is Layout.OLD else (_told, _recorded))
        )
    ]


def find_emptied_columns(file: ParsedFile, limits: DataQualityLimits) -> list[DataIssue]:
    """Columns that are usually recorded and hardly are in this file; each stops the run."""
    usual = reference_shares(file.table, file.layout)
    findings = []
    for name, cells in count_value_classes(file.frame, file.table).items():
        missing = cells[-1] / cells.sum()
        if name not in usual or _told(usual[name]) < _USUALLY_TOLD:
            continue
        if usual[name][-1] < _USUALLY_RECORDED and missing > limits.emptied:
            absent = file.frame[name].isin([MISSING]).to_numpy() | file.frame[name].isna().to_numpy()
            check = f"hardly recorded: usually {usual[name][-1]:.0%} of the cells are missing"
            remedy = "The column was emptied or replaced: use the official file"
            findings.append(file.finding(check, absent, Action.STOPPED, column=name, remedy=remedy))
    return findings


def find_constant_columns(file: ParsedFile) -> list[DataIssue]:
    """Columns with the same value in every row that records one, where that is not usual; each stops the run.

    A part of a year may have one month, and one town one kind of road, inside a built-up area. Columns of the layout
    until 2018 are left alone: some were hardly ever filled in with more than one code.
    """
    if file.layout is Layout.OLD:
        return []
    usual = reference_shares(file.table, file.layout)
    findings = []
    for name, cells in count_value_classes(file.frame, file.table).items():
        recorded = cells[:-1].sum()
        if (
            name in _ALIKE_IN_A_PART | _JUDGED_ELSEWHERE
            or name not in usual
            or recorded < _LEAST_ALIKE
            or cells[:-1].max() < recorded
        ):
            continue
        most = usual[name][:-1].max() / max(usual[name][:-1].sum(), 1e-9)
        if most < _USUALLY_VARIED:
            everywhere = np.ones(len(file.frame), dtype=bool)
            check = f"the same value in every row: usually at most {most:.0%} of the rows share one"
            remedy = "The column was overwritten: use the official file"
            values = file.frame[name]
            findings.append(file.finding(check, everywhere, Action.STOPPED, column=name, values=values, remedy=remedy))
    return findings


def _evidence(one: np.ndarray, other: np.ndarray, usual_one: np.ndarray, usual_other: np.ndarray) -> float:
    """Nats a cell that speak for two columns having been swapped; not positive where either speaks against it."""
    # A 0 that one of the columns never has means "not recorded" there, and tells nothing.
    first = 0 if usual_one[0] and usual_other[0] else 1
    gain = log_probabilities(usual_other[first:-1]) - log_probabilities(usual_one[first:-1])
    parts = []
    for cells, usual, part in ((one, usual_one, gain), (other, usual_other, -gain)):
        recorded = cells[first:-1]
        if recorded.sum() >= _LEAST_CELLS:
            parts.append(float(np.dot(recorded, part) / recorded.sum()))
        elif usual[first:-1].sum() * cells.sum() >= _EMPTIED * _LEAST_CELLS:
            parts.append(0.0)
        else:
            return 0.0
    return sum(parts) / 2 if min(parts) >= 0 else 0.0


def _presence_swapped(
    measure: Callable[[np.ndarray], float],
    one: np.ndarray,
    other: np.ndarray,
    usual_one: np.ndarray,
    usual_other: np.ndarray,
) -> bool:
    if one.sum() < _LEAST_CELLS:
        return False
    usually = measure(usual_one) - measure(usual_other)
    return abs(usually) > _TELLING and (measure(one) - measure(other)) * np.sign(usually) < -_TELLING


def _told(cells: np.ndarray) -> float:
    """Share of the cells that say something: until 2018 nothing is written 0, 000 or not at all."""
    return float(cells[1:-1].sum() / cells.sum())


def _recorded(cells: np.ndarray) -> float:
    """Share of the cells that hold anything."""
    return float(cells[:-1].sum() / cells.sum())
