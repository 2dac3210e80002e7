"""What reading and cleaning find in files: one record a fault, and the report made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from accidents.configuration.data_quality import DataQualityLimits
from accidents.errors import DataError

MAX_EXAMPLES = 3
"""How many offending values and row numbers a finding shows."""

_SHOWN = 10  # faults in an error message; the report has them all

REPORT_COLUMNS = ("file", "column", "check", "rows", "share", "first_values", "first_rows", "action")


class Action(StrEnum):
    """What became of the cells, rows or files of a finding."""

    STOPPED = "stopped"
    QUARANTINED = "quarantined"
    MISSING = "set to missing"
    MENDED = "mended"
    IGNORED = "ignored"


@dataclass(frozen=True)
class DataIssue:
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

    def message(self) -> str:
        """The finding in one line, for an error message."""
        place = f"{self.file}, column {self.column}" if self.column else self.file
        where = f"; first in row {', '.join(map(str, self.first_rows))}" if self.first_rows else ""
        values = f": {', '.join(map(repr, self.first_values))}" if self.first_values else ""
        number = f" ({self.rows:,} rows, {self.share:.2%})" if self.share else ""
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"{place}: {self.check}{number}{values}{where}{remedy}"


class UnreadableFileError(Exception):
    """A file that cannot be read at all; carries the finding up to where findings are gathered."""

    def __init__(self, finding: DataIssue) -> None:
        super().__init__(finding.message())
        self.finding = finding


def unreadable_file(
    file: str, check: str, remedy: str, *, column: str = "", rows: Sequence[int] = ()
) -> UnreadableFileError:
    """A fault of a whole file, ready to be raised."""
    return UnreadableFileError(
        DataIssue(
            file, column, check, len(rows), 0.0, Action.STOPPED, first_rows=tuple(rows)[:MAX_EXAMPLES], remedy=remedy
        )
    )


def exceeds_limit(share: float, limits: DataQualityLimits) -> bool:
    """Whether a share of bad cells of a column stops the run: of a limit of 5 %, exactly 5 % does and 4.99 % not."""
    return share >= limits.bad_cells


def issues_frame(findings: Sequence[DataIssue]) -> pd.DataFrame:
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


def data_error(findings: Sequence[DataIssue]) -> DataError:
    """The error that says why the data of these findings cannot be used; its report holds all findings."""
    stopped = [finding for finding in findings if finding.action is Action.STOPPED]
    lines = [f"- {finding.message()}" for finding in stopped[:_SHOWN]]
    if len(stopped) > _SHOWN:
        lines.append(f"- and {len(stopped) - _SHOWN} more, see the report")
    return DataError("\n".join(["The data cannot be used:", *lines]), issues_frame(findings))
