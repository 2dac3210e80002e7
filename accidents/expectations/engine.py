"""Runs Great Expectations on a suite. Importing this module takes seconds."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from accidents.expectations.suites import Suite


@contextmanager
def _import_blocked(module: str) -> Iterator[None]:
    """Make the import of an optional module fail while the block runs, unless it is loaded already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # None makes its import fail
    try:
        yield
    finally:
        del sys.modules[module]


logging.getLogger("great_expectations").setLevel(logging.WARNING)
with _import_blocked("rfc3987_syntax"):  # a third of the import time: jsonschema compiles its grammar
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig


def validate(suite: Suite) -> list[Any]:
    """Validate the measures of a suite; the results are in the order of its expectations."""
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
    batch = _context().data_sources.pandas_default.read_dataframe(suite.frame)
    results = batch.validate(gx.ExpectationSuite(name=str(suite.year), expectations=expectations)).results
    return sorted(results, key=lambda result: result.expectation_config.meta["position"])


@cache
def _context() -> Any:
    """An ephemeral context without analytics and progress bars."""
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context
