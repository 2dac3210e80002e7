"""Great Expectations itself: one suite in, one result an expectation out. Importing this module takes seconds."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from accidents.expectations.suites import Suite


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


logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it logs every step that it takes
with _without("rfc3987_syntax"):  # a third of the import: jsonschema compiles its grammar, and nothing here uses it
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig


def validate(suite: Suite) -> list[Any]:
    """Hold the measures of a suite against its expectations; the results are in the order of the expectations."""
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
    """A context of Great Expectations that lives in memory, reports to nobody and draws no bars."""
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context
