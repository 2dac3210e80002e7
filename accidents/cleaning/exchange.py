"""Whether columns of a file hold what they usually do, or their contents are swapped or gone.

Swapped columns of different kinds break their rules and need no more. Two code columns may hold each other's values
without a single bad cell; what gives them away is how often each value occurs. Two columns count as swapped when each
other's usual contents explain the file clearly better than their own do. The usual contents are shares counted from
real files; `benchmarks/count_references.py` counts them anew.
"""

import json
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from accidents.columns import MISSING, TABLES, Column, Kind, Table
from accidents.configuration.limits import Limits
from accidents.reading.findings import Action, Finding
from accidents.reading.layout import Layout
from accidents.reading.table import TableFile

REFERENCE = Path(__file__).with_name("usual_contents.json")

# A value stands for itself up to this number, for "large" above it, and for its length where it is no number.
_LARGE = 250
_LONGEST = 9
_CLASSES = _LARGE + 1 + _LONGEST + 1
_UNSEEN = 1e-4  # share of a value that the reference does not have
_LEAST_CELLS = 200  # fewer prove nothing
_EMPTIED = 3  # so many times the least number of cells must be usual where fewer than the least number are found
_USUALLY_RECORDED = 0.1  # share of missing cells below which a column is usually recorded
_TELLING = 0.5  # difference in the share of missing cells that tells two columns apart


def count_contents(frame: pd.DataFrame, table: Table) -> dict[str, np.ndarray]:
    """Cells by class of value, for each column whose contents could pass for another's.

    Returns:
        int64 arrays; the last class is "not recorded".
    """
    return {
        column.name: _counts(frame[column.name], column) for column in TABLES[table].values() if _comparable(column)
    }


def swapped_columns(file: TableFile, limits: Limits) -> list[Finding]:
    """Pairs of columns of a file whose contents are swapped; each stops the run.

    The evidence that a column holds what another usually does is the mean gain in log likelihood from exchanging their
    references: sum(n * (log p_other - log p_own)) / sum(n), with n the recorded cells and p the usual shares by class
    of value; a column that has lost most of its cells gives none. Neither column may speak against it, and their mean
    must reach the limit: in January every month is 1, as most light codes are, but the light codes then do not
    look like months. A column that is always recorded and one that seldom is are told apart by that as well.
    """
    counts = count_contents(file.frame, file.table)
    usual = _usual(file.table, file.layout)
    names = [name for name in counts if name in usual]
    return [
        Finding(
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
        or _presence_swapped(counts[one], counts[other], usual[one], usual[other])
    ]


def emptied_columns(file: TableFile, limits: Limits) -> list[Finding]:
    """Columns that are usually recorded and hardly are in this file; each stops the run."""
    usual = _usual(file.table, file.layout)
    findings = []
    for name, cells in count_contents(file.frame, file.table).items():
        missing = cells[-1] / cells.sum()
        if name in usual and usual[name][-1] < _USUALLY_RECORDED and missing > limits.emptied:
            absent = file.frame[name].isin([MISSING]).to_numpy() | file.frame[name].isna().to_numpy()
            check = f"hardly recorded: usually {usual[name][-1]:.0%} of the cells are missing"
            remedy = "The column was emptied or replaced: use the official file"
            findings.append(file.finding(check, absent, Action.STOPPED, column=name, remedy=remedy))
    return findings


def _evidence(one: np.ndarray, other: np.ndarray, usual_one: np.ndarray, usual_other: np.ndarray) -> float:
    """Nats a cell that speak for two columns having been swapped; not positive where either speaks against it."""
    # A 0 that one of the columns never has means "not recorded" there, and tells nothing.
    first = 0 if usual_one[0] and usual_other[0] else 1
    gain = _log_shares(usual_other[first:-1]) - _log_shares(usual_one[first:-1])
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


def _presence_swapped(one: np.ndarray, other: np.ndarray, usual_one: np.ndarray, usual_other: np.ndarray) -> bool:
    if one.sum() < _LEAST_CELLS:
        return False
    missing = one[-1] / one.sum() - other[-1] / other.sum()
    usually = usual_one[-1] - usual_other[-1]
    return abs(usually) > _TELLING and missing * np.sign(usually) < -_TELLING


def _log_shares(usual: np.ndarray) -> np.ndarray:
    """Logarithms of the shares of classes; one never seen gets a small share."""
    shares = usual / max(usual.sum(), _UNSEEN) + _UNSEEN
    return np.log(shares / shares.sum())


def _comparable(column: Column) -> bool:
    """Codes, small numbers and short texts; the rest breaks a rule wherever it does not belong."""
    if column.kind is Kind.TEXT:
        return not column.pattern and column.last_year is None and column.name != "adr"
    small = column.minimum is not None and column.minimum < _LARGE
    return column.kind is Kind.CODE or (
        column.kind in {Kind.INTEGER, Kind.NUMBER} and small and column.unit != "degrees"
    )


def _counts(values: pd.Series, column: Column) -> np.ndarray:
    if column.kind is Kind.TEXT:
        codes, distinct = pd.factorize(values)
        classes = np.array([_class(text) for text in distinct.tolist()], dtype=np.int64)[codes[codes >= 0]]
    else:
        numbers = values.to_numpy()
        recorded = numbers[numbers >= 0]  # NaN and -1 are not
        classes = np.minimum(np.round(recorded), _LARGE).astype(np.int64)
    return np.append(np.bincount(classes, minlength=_CLASSES), len(values) - len(classes))


def _class(text: str) -> int:
    try:
        return min(max(round(float(text.replace(",", "."))), 0), _LARGE)
    except (ValueError, OverflowError):
        return _LARGE + 1 + min(len(text), _LONGEST)


@cache
def _usual(table: Table, layout: Layout) -> Mapping[str, np.ndarray]:
    """Usual shares of the classes of each column, the last one "not recorded"."""
    contents = json.loads(REFERENCE.read_text(encoding="utf-8"))["shares"]
    shares = contents[layout.name].get(table.value) or contents[Layout.NEW.name][table.value]
    usual = {}
    for name, parts in shares.items():
        usual[name] = np.zeros(_CLASSES + 1)
        usual[name][[int(place) for place in parts]] = list(parts.values())
    return usual
