"""Validates tables with Great Expectations and hands over the outcome as a table and as a page."""

import logging
import sys
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from accidents.configuration.expectations import ExpectationSettings
from accidents.expectations.report import render
from accidents.expectations.suites import LABEL, NUMBER, Expectation, Suite, suites
from accidents.reading.findings import Action, Finding
from accidents.tables import Tables


@dataclass(frozen=True)
class Checked:
    """Outcome of all expectations.

    `success` is whether none was broken; `blocking_failures` are sentences on those whose breach has to stop the run.
    `results` has one row an expectation: year (int), topic, subject, expected, observed, note (str), success and
    blocking (bool). `html` shows the same as a page that needs nothing from elsewhere.
    """

    success: bool
    blocking_failures: tuple[str, ...]
    results: pd.DataFrame
    html: str

    def findings(self) -> list[Finding]:
        """Expectations that were broken, and in any case how much of each published year there is."""
        rows = self.results.to_dict("records")
        return [_finding(row) for row in rows if not row["success"] or row["topic"] == NUMBER]


def check(tables: Tables, settings: ExpectationSettings, *, source: str = "") -> Checked:
    """Check every year for its number of accidents, its labels, the joins of its tables and its missing cells.

    Args:
        tables: Typed tables of any number of years.
        settings: The limits.
        source: Where the data come from, in words for the report, for example "synthetic sample".
    """
    with _quiet():
        context = _context()
        rows = [row for suite in suites(tables, settings) for row in _validate(context, suite)]
    results = pd.DataFrame(rows)
    failures = tuple(_failure(row) for row in rows if row["blocking"] and not row["success"])
    return Checked(bool(results["success"].all()), failures, results, render(results, source))


def _failure(row: Mapping[str, Any]) -> str:
    place = " (usagers, column grav)" if row["topic"] == LABEL else ""
    return f"{row['year']}, {row['topic']}, {row['subject']}{place}: {row['observed']}, expected {row['expected']}"


def _finding(row: Mapping[Hashable, Any]) -> Finding:
    """An expectation as a line of the report on the data; that it was met is worth its note alone."""
    told = row["note"] if row["success"] else f"{row['observed']}, expected {row['expected']}"
    if not row["success"] and row["note"]:
        told += f" ({row['note']})"
    action = Action.STOPPED if row["blocking"] and not row["success"] else Action.IGNORED
    return Finding(f"edition {row['year']}", "", f"{row['topic']}: {row['subject']}: {told}", 0, 0.0, action)


def _context() -> Any:
    """A context of Great Expectations that lives in memory, reports to nobody and draws no bars."""
    with _without("rfc3987_syntax"):  # a third of the import: jsonschema compiles its grammar, and nothing here uses it
        import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Let a module that others can do without be missing, unless it is there already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # an import that finds None fails like that of no module
    try:
        yield
    finally:
        del sys.modules[module]


def _validate(context: Any, suite: Suite) -> Iterator[dict[str, object]]:
    outcomes = {result.expectation_config.meta["position"]: result for result in _run(context, suite)}
    for position, expectation in enumerate(suite.expectations):
        result = outcomes[position]
        yield {
            "year": suite.year,
            "topic": expectation.topic,
            "subject": expectation.subject,
            "expected": _expected(expectation),
            "observed": _observed(expectation, result.result),
            "success": bool(result.success),
            "blocking": expectation.blocking,
            "note": expectation.note,
        }


def _run(context: Any, suite: Suite) -> list[Any]:
    """The validation results of Great Expectations, in an order of its own."""
    import great_expectations as gx

    expectations = []
    for position, expectation in enumerate(suite.expectations):
        about_table = expectation.kind.startswith("ExpectTable")
        expectations.append(
            getattr(gx.expectations, expectation.kind)(
                **({} if about_table else {"column": str(position)}),
                **expectation.arguments,
                severity="critical" if expectation.blocking else "warning",
                meta={"position": position},
            )
        )
    batch = context.data_sources.pandas_default.read_dataframe(suite.frame)
    return batch.validate(gx.ExpectationSuite(name=str(suite.year), expectations=expectations)).results


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


@contextmanager
def _quiet() -> Iterator[None]:
    """Great Expectations logs every step it takes; only its warnings matter here."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
