"""Issues of data quality that reading and cleaning detect, and the report made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import pandas as pd

from accidents.configuration.data_quality import DataQualityLimits
from accidents.errors import DataError

MAX_EXAMPLES = 3
"""Largest number of values and of row numbers that an issue shows."""

_REMEDY = "Use the official file, or raise the limit in configs/ingestion.yaml"
_MAX_LISTED = 10  # issues in an error message; the report has all of them

REPORT_COLUMNS = ("file", "column", "check", "rows", "share", "first_values", "first_rows", "action")


class Action(StrEnum):
    """What was done about the cells, rows or file of an issue."""

    STOPPED = "stopped"
    QUARANTINED = "quarantined"
    MISSING = "set to missing"
    CORRECTED = "corrected"
    IGNORED = "ignored"


@dataclass(frozen=True)
class DataIssue:
    """One rule that a file, some of its rows or some cells of a column break.

    Attributes:
        file: name of the file.
        column: name of the column; empty where the whole file or whole rows break the rule.
        check: the rule, in words.
        rows: number of rows that break it.
        share: their share of the rows of the file, or of the cells that the rule applies to.
        action: what was done.
        first_values: the first `MAX_EXAMPLES` values, as text.
        first_rows: their row numbers in the file; the header is row 1, and blank lines do not count.
        remedy: what the user can do, where the action is `STOPPED`.
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
        """The issue on one line, for an error message.

        >>> DataIssue("lieux.csv", "catr", "not allowed", 2, 0.5, Action.MISSING, ("77",), (3,)).message()
        "lieux.csv, column catr: not allowed (2 rows, 50.00%): '77'; first in row 3"
        """
        place = f"{self.file}, column {self.column}" if self.column else self.file
        where = f"; first in row {', '.join(map(str, self.first_rows))}" if self.first_rows else ""
        values = f": {', '.join(map(repr, self.first_values))}" if self.first_values else ""
        number = f" ({self.rows:,} rows, {self.share:.2%})" if self.share else ""
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"{place}: {self.check}{number}{values}{where}{remedy}"


class UnreadableFileError(Exception):
    """A file that cannot be read at all; `issue` goes into the report, and then a `DataError` is raised."""

    def __init__(self, issue: DataIssue) -> None:
        super().__init__(issue.message())
        self.issue = issue


def unreadable_file(
    file: str, check: str, remedy: str, *, column: str = "", rows: Sequence[int] = ()
) -> UnreadableFileError:
    """The exception for a whole file that breaks a rule."""
    first_rows = tuple(rows)[:MAX_EXAMPLES]
    return UnreadableFileError(
        DataIssue(file, column, check, len(rows), 0.0, Action.STOPPED, first_rows=first_rows, remedy=remedy)
    )


def stop_above_limit(issue: DataIssue, limits: DataQualityLimits) -> DataIssue:
    """The issue, with the action `STOPPED` where its share is above the limit of its check and action.

    Example:
        >>> issue = DataIssue("lieux.csv", "", "further road", 2, 0.5, Action.IGNORED)
        >>> stop_above_limit(issue, DataQualityLimits(ignored=0.4)).action.name
        'STOPPED'
    """
    if _is_above_limit(issue, limits):
        return replace(issue, action=Action.STOPPED, remedy=issue.remedy or _REMEDY)
    return issue


def _is_above_limit(issue: DataIssue, limits: DataQualityLimits) -> bool:
    match issue.action:
        case Action.MISSING:
            return issue.share >= limits.bad_cells
        case Action.QUARANTINED:
            return issue.share > limits.bad_keys
        case Action.CORRECTED | Action.IGNORED:
            default = limits.corrected if issue.action is Action.CORRECTED else limits.ignored
            limit = next((share for check, share in limits.by_check.items() if issue.check.startswith(check)), None)
            # An issue of a whole file has no share: it counts as 1 for a limit of its own check, and as 0 for others.
            return issue.share > default if limit is None else (issue.share or 1) > limit
    return False


def issues_frame(issues: Sequence[DataIssue]) -> pd.DataFrame:
    """The report: all issues as a frame with the columns `REPORT_COLUMNS`, those that stopped the run first."""
    order = {action: rank for rank, action in enumerate(Action)}
    records = []
    for issue in sorted(issues, key=lambda issue: order[issue.action]):
        lists = {"first_values": ", ".join(issue.first_values), "first_rows": ", ".join(map(str, issue.first_rows))}
        records.append(vars(issue) | lists | {"action": str(issue.action)})
    dtypes = {"rows": "int64", "share": "float64"}
    frame = pd.DataFrame(records, columns=list(REPORT_COLUMNS))
    return frame.astype({column: dtypes.get(column, "str") for column in REPORT_COLUMNS})


def data_error(issues: Sequence[DataIssue]) -> DataError:
    """The error for data that cannot be used: the message lists issues that stopped the run, the report has all."""
    stopped = [issue for issue in issues if issue.action is Action.STOPPED]
    lines = [f"- {issue.message()}" for issue in stopped[:_MAX_LISTED]]
    if len(stopped) > _MAX_LISTED:
        lines.append(f"- and {len(stopped) - _MAX_LISTED} more, see the report")
    return DataError("\n".join(["The data cannot be used:", *lines]), issues_frame(issues))
