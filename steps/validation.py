"""The border of every step: frames are validated on their way in and out, failures are named, durations are logged.

Where data are refused, the report on them becomes an output of the failed step.

A frame is known by its name: with `@border(features=features_schema)`, every parameter and output called `features` is
held to that schema. One decorator under `@step` does it all, so that a step itself is nothing but a call of the domain.
"""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ParamSpec, TypeVar, get_args, get_origin

import pandas as pd

from accidents.errors import DataError
from steps.failure_artifacts import save_failure_report
from steps.metadata import log_step_metadata

P = ParamSpec("P")
R = TypeVar("R")

_MOST_CASES = 8


def validate_frames(**schemas: Callable[[], Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Validate the named frames that a step takes and returns, and log how long it took; used directly under `@step`.

    Args:
        **schemas: by the name of a parameter or output, a function that returns its pandera schema.

    Raises:
        DataError: a frame breaks its schema; the text holds a table of the failures.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        outputs = _output_names(signature.return_annotation)

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            started = time.perf_counter()
            try:
                _validate(schemas, signature.bind(*args, **kwargs).arguments)
                result = function(*args, **kwargs)
                returned = result if len(outputs) > 1 and isinstance(result, tuple) else (result,)
                _validate(schemas, dict(zip(outputs, returned, strict=True)))
            except DataError as error:
                save_failure_report(error)
                raise
            log_step_metadata({"seconds": round(time.perf_counter() - started, 3)})
            return result

        return wrapped

    return decorate


def _validate(schemas: Mapping[str, Callable[[], Any]], values: Mapping[str, object]) -> None:
    from pandera.errors import SchemaError, SchemaErrors

    for name in schemas.keys() & values.keys():
        try:
            schemas[name]().validate(values[name], lazy=True)
        except (SchemaError, SchemaErrors) as error:
            raise DataError(f"the frame '{name}' breaks its schema:\n{_failures(error)}") from None


def _failures(error: Any) -> str:
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame):
        return str(error)
    table = (
        cases.groupby(["column", "check"], dropna=False)
        .agg(rows=("failure_case", "size"), first_value=("failure_case", "first"), first_row=("index", "first"))
        .reset_index()
    )
    more = f"\n… and {len(table) - _MOST_CASES} more" if len(table) > _MOST_CASES else ""
    return table.head(_MOST_CASES).to_string(index=False) + more


def _output_names(annotation: Any) -> tuple[str, ...]:
    """Names in `Annotated[type, name]`, alone or in a tuple."""
    if annotation in (None, inspect.Signature.empty):
        return ("output",)
    parts = get_args(annotation) if get_origin(annotation) is tuple else (annotation,)
    return tuple(_annotated_name(part) for part in parts)


def _annotated_name(annotation: Any) -> str:
    if get_origin(annotation) is not Annotated:
        return "output"
    label = get_args(annotation)[1]
    return str(getattr(label, "name", label))
