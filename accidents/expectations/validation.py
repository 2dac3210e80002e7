"""Validates tables with Great Expectations; the results are a frame and an HTML report."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from accidents.columns import ATTRIBUTION
from accidents.configuration.expectations import ExpectationSettings
from accidents.expectations.suites import COUNT_TOPIC, LABEL_TOPIC, Expectation, Suite, build_suites
from accidents.reading.issues import Action, DataIssue
from accidents.tables import Tables
from accidents.worker_process import WorkerTask

_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class ExpectationResults:
    """Results of all expectations.

    Attributes:
        success: whether all are met.
        blocking_failures: messages of those that failed and have to stop the run.
        results: one row an expectation: year (int), topic, subject, expected, observed, note (str), success and
            blocking (bool).
        html: the results as a self-contained HTML page.
    """

    success: bool
    blocking_failures: tuple[str, ...]
    results: pd.DataFrame
    html: str

    def issues(self) -> list[DataIssue]:
        """Expectations that failed, and the number of accidents of each year in any case."""
        rows = self.results.to_dict("records")
        return [_issue(row) for row in rows if not row["success"] or row["topic"] == COUNT_TOPIC]


def validate_tables(tables: Tables, settings: ExpectationSettings, *, source: str = "") -> ExpectationResults:
    """Validate the number of accidents, the labels, the joins and the missing cells of every year.

    Args:
        tables: typed tables of any number of years.
        settings: the limits.
        source: source of the data for the report, in words, such as "synthetic sample".
    """
    rows = [row for suite in build_suites(tables, settings) for row in WorkerTask(_validate_suite, suite).result()]
    results = pd.DataFrame(rows)
    failures = tuple(_failure_message(row) for row in rows if row["blocking"] and not row["success"])
    return ExpectationResults(bool(results["success"].all()), failures, results, _render_report(results, source))


def _failure_message(row: Mapping[str, Any]) -> str:
    place = " (usagers, column grav)" if row["topic"] == LABEL_TOPIC else ""
    return f"{row['year']}, {row['topic']}, {row['subject']}{place}: {row['observed']}, expected {row['expected']}"


def _issue(row: Mapping[Hashable, Any]) -> DataIssue:
    """The result of an expectation as an issue of the data report."""
    message = row["note"] if row["success"] else f"{row['observed']}, expected {row['expected']}"
    if not row["success"] and row["note"]:
        message += f" ({row['note']})"
    action = Action.STOPPED if row["blocking"] and not row["success"] else Action.IGNORED
    return DataIssue(f"edition {row['year']}", "", f"{row['topic']}: {row['subject']}: {message}", 0, 0.0, action)


def _validate_suite(suite: Suite) -> list[dict[str, object]]:
    """One row an expectation, in their order, as in `ExpectationResults.results`."""
    from accidents.expectations.engine import validate  # slow to import

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
    """A share in percent, with enough digits to distinguish it from a limit."""
    return f"{100 * share:.4g} %"


def _render_report(results: pd.DataFrame, source: str) -> str:
    """Render the report.

    Args:
        results: one row an expectation, as in `ExpectationResults.results`.
        source: source of the data, in words; may be empty.
    """
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("expectations.html.j2").render(
        attribution=ATTRIBUTION,
        source=source,
        total=len(results),
        broken=results[~results["success"]].to_dict("records"),
        blocking=int((~results["success"] & results["blocking"]).sum()),
        years={
            year: {topic: rows.to_dict("records") for topic, rows in of_year.groupby("topic", sort=False)}
            for year, of_year in results.groupby("year")
        },
    )
