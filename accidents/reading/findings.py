"""What reading and cleaning find in files: one record a fault, and the report made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

EXAMPLES = 3
"""How many offending values and row numbers a finding shows."""

REPORT_COLUMNS = ("file", "column", "check", "rows", "share", "first_values", "first_rows", "action")


class Action(StrEnum):
    """What became of the cells, rows or files of a finding."""

    STOPPED = "stopped"
    QUARANTINED = "quarantined"
    MISSING = "set to missing"
    MENDED = "mended"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Finding:
    """One rule that something in a file breaks.

    `column` is empty where a whole file or row is meant; `rows` counts the rows concerned and `share` is their part of
    the rows of the file. Row numbers are those of the file, the header being row 1 (blank lines do not count).
    `remedy` says what a user can do when the action is `STOPPED`.
    """

    file: str
    column: str
    check: str
    rows: int
    share: float
    action: Action
    first_values: tuple[str, ...] = ()
    first_rows: tuple[int, ...] = ()
    remedy: str = ""

    def sentence(self) -> str:
        """The finding in one line, for an error message."""
        place = f"{self.file}, column {self.column}" if self.column else self.file
        where = f"; first in row {', '.join(map(str, self.first_rows))}" if self.first_rows else ""
        values = f": {', '.join(map(repr, self.first_values))}" if self.first_values else ""
        number = f" ({self.rows:,} rows, {self.share:.2%})" if self.share else ""
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"{place}: {self.check}{number}{values}{where}{remedy}"


class FileFault(Exception):  # noqa: N818 - not an error shown to users: it carries a finding to the report
    """A file that cannot be read at all; carries the finding up to where findings are gathered."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence())
        self.finding = finding


def file_fault(file: str, check: str, remedy: str, *, column: str = "", rows: Sequence[int] = ()) -> FileFault:
    """A fault of a whole file, ready to be raised."""
    return FileFault(
        Finding(file, column, check, len(rows), 0.0, Action.STOPPED, first_rows=tuple(rows)[:EXAMPLES], remedy=remedy)
    )


def find_rows(  # noqa: PLR0917 - the facts of one record, all of them always given
    file: str,
    column: str,
    check: str,
    mask: np.ndarray,
    rows: np.ndarray,
    values: Sequence[object] | np.ndarray | pd.Series,
    action: Action,
    *,
    remedy: str = "",
) -> Finding:
    """Finding on the rows where `mask` is true.

    Args:
        file: name of the file.
        column: name of the column; empty for a rule on rows.
        check: the rule, in words.
        mask: bool, one element a row of the table.
        rows: row numbers in the file, one element a row of the table.
        values: the offending values of the whole column, one element a row of the table.
        action: what became of the rows.
        remedy: what a user can do about it.
    """
    where = np.flatnonzero(mask)
    first = where[:EXAMPLES]
    shown = pd.Series(values).iloc[first].astype(str) if len(values) else ()
    return Finding(
        file,
        column,
        check,
        len(where),
        len(where) / max(len(mask), 1),
        action,
        first_values=tuple(shown),
        first_rows=tuple(int(row) for row in rows[first]),
        remedy=remedy,
    )


def report_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """All findings as a table, those that stopped the run first; columns `REPORT_COLUMNS`."""
    order = {action: place for place, action in enumerate(Action)}
    records = [
        (
            finding.file,
            finding.column,
            finding.check,
            finding.rows,
            finding.share,
            ", ".join(finding.first_values),
            ", ".join(map(str, finding.first_rows)),
            str(finding.action),
        )
        for finding in sorted(findings, key=lambda finding: order[finding.action])
    ]
    dtypes = {"rows": "int64", "share": "float64"}
    frame = pd.DataFrame(records, columns=list(REPORT_COLUMNS))
    return frame.astype({column: dtypes.get(column, "str") for column in REPORT_COLUMNS})
