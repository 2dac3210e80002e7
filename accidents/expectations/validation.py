"""Validates tables with Great Expectations and hands over the outcome as a table and as a page."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from accidents.configuration.expectations import ExpectationSettings
from accidents.expectations.report import render
from accidents.expectations.suites import COUNT_TOPIC, LABEL_TOPIC, Expectation, Suite, build_suites
from accidents.reading.issues import Action, DataIssue
from accidents.tables import Tables
from accidents.worker_process import WorkerTask


@dataclass(frozen=True)
class ExpectationResults:
    """Outcome of all expectations.

    `success` is whether none was broken; `blocking_failures` are sentences on those whose breach has to stop the run.
    `results` has one row an expectation: year (int), topic, subject, expected, observed, note (str), success and
    blocking (bool). `html` shows the same as a page that needs nothing from elsewhere.
    """

    success: bool
    blocking_failures: tuple[str, ...]
    results: pd.DataFrame
    html: str

    def issues(self) -> list[DataIssue]:
        """Expectations that were broken, and in any case how much of each published year there is."""
        rows = self.results.to_dict("records")
        return [_finding(row) for row in rows if not row["success"] or row["topic"] == COUNT_TOPIC]


def validate_tables(tables: Tables, settings: ExpectationSettings, *, source: str = "") -> ExpectationResults:
    """Check every year for its number of accidents, its labels, the joins of its tables and its missing cells.

    Args:
        tables: Typed tables of any number of years.
        settings: The limits.
        source: Where the data come from, in words for the report, for example "synthetic sample".
    """
    rows = [row for suite in build_suites(tables, settings) for row in WorkerTask(_validated, suite).result()]
    results = pd.DataFrame(rows)
    failures = tuple(_failure(row) for row in rows if row["blocking"] and not row["success"])
    return ExpectationResults(bool(results["success"].all()), failures, results, render(results, source))


def _failure(row: Mapping[str, Any]) -> str:
    place = " (usagers, column grav)" if row["topic"] == LABEL_TOPIC else ""
    return f"{row['year']}, {row['topic']}, {row['subject']}{place}: {row['observed']}, expected {row['expected']}"


def _finding(row: Mapping[Hashable, Any]) -> DataIssue:
    """An expectation as a line of the report on the data; that it was met is worth its note alone."""
    told = row["note"] if row["success"] else f"{row['observed']}, expected {row['expected']}"
    if not row["success"] and row["note"]:
        told += f" ({row['note']})"
    action = Action.STOPPED if row["blocking"] and not row["success"] else Action.IGNORED
    return DataIssue(f"edition {row['year']}", "", f"{row['topic']}: {row['subject']}: {told}", 0, 0.0, action)


def _validated(suite: Suite) -> list[dict[str, object]]:
    """One row an expectation, in their order, as in `Checked.results`."""
    from accidents.expectations.engine import validate  # which takes seconds to import

    return [
        {
            "year": suite.year,
            "topic": expectation.topic,
            "subject": expectation.subject,
            "expected": _expected(expectation),
            "observed": _observed(expectation, result.result),
            "success": bool(result.success),
            "blocking": expectation.blocking,
            "note": expectation.note,
        }
        for expectation, result in zip(suite.expectations, validate(suite), strict=True)
    ]


def _expected(expectation: Expectation) -> str:
    if "mostly" in expectation.arguments:
        return f"at most {_percent(1 - expectation.arguments['mostly'])}"
    least, most = expectation.arguments["min_value"], expectation.arguments["max_value"]
    if expectation.kind.startswith("ExpectTable"):
        return f"{least:,} to {most:,}" if most is not None else f"at least {least:,}"
    return f"{_percent(least)} to {_percent(most)}"


def _observed(expectation: Expectation, result: dict[str, Any]) -> str:
    if "mostly" in expectation.arguments:
        percent = result.get("unexpected_percent")
        return _percent(percent / 100) if percent is not None else "no rows"
    value = result.get("observed_value")
    if value is None:
        return "no rows"
    return f"{value:,}" if expectation.kind.startswith("ExpectTable") else _percent(value)


def _percent(share: float) -> str:
    """A share in percent, precise enough that one just beyond a limit does not read like the limit."""
    return f"{100 * share:.4g} %"
