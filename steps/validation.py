"""Validation of the data frames that a step takes and returns, and duration of the step.

A frame is identified by its name: with `@validate_frames(features=features_schema)`, the parameter and the output named
`features` are validated with that schema. Where a step raises `DataError`, the report that the error carries is saved
as an artifact of the failed step.
"""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, ParamSpec, TypeVar, get_args, get_origin
from uuid import UUID

from zenml import save_artifact
from zenml.types import HTMLString

import materializers.frame  # noqa: F401  # stores the report
from accidents.engine.frame_files import FrameFile
from accidents.errors import DataError
from accidents.memory import release_memory
from accidents.schemas.validation import validate_frame
from steps.metadata import input_artifacts, inside_pipeline, log_step_metadata

P = ParamSpec("P")
R = TypeVar("R")

VALIDATION_REPORT = "validation_report"
EXPECTATIONS_REPORT = "expectations_report"
"""Artifact names of the reports of a failed step, the same as those of a successful ingestion."""

_validated: set[tuple[Callable[[], Any], UUID | None]] = set()
"""Schemas and ids of the artifacts whose frames match them; an artifact version does not change."""


def validate_frames(**schemas: Callable[[], Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a step: validate named frames on their way in and out, and log the duration; use it below `@step`.

    Args:
        **schemas: by name of a parameter or output, a function that returns its pandera schema.

    Raises:
        DataError: a frame does not match its schema; the message contains a table of the failures.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        outputs = _output_names(signature.return_annotation)

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            started = time.perf_counter()
            try:
                bound = signature.bind(*args, **kwargs)
                _validate(schemas, bound.arguments, input_artifacts())
                bound.arguments |= _checked_when_read(schemas, bound.arguments)
                release_memory()
                result = function(*bound.args, **bound.kwargs)
                returned = result if len(outputs) > 1 and isinstance(result, tuple) else (result,)
                _validate(schemas, dict(zip(outputs, returned, strict=True)))
            except DataError as error:
                _save_reports(error)
                raise
            release_memory()
            log_step_metadata({"seconds": round(time.perf_counter() - started, 3)})
            return result

        return wrapped

    return decorate


def _validate(
    schemas: Mapping[str, Callable[[], Any]], values: Mapping[str, object], artifacts: Mapping[str, UUID] | None = None
) -> None:
    """Validate frames; one that another step of this process has taken from the same artifact is not read again.

    Files of frames are validated by whoever reads and writes them.
    """
    for name in schemas.keys() & values.keys():
        key = schemas[name], (artifacts or {}).get(name)
        if key in _validated or isinstance(values[name], FrameFile):
            continue
        validate_frame(values[name], name, schemas[name])
        if key[1] is not None:
            _validated.add(key)


def _checked_when_read(schemas: Mapping[str, Callable[[], Any]], values: Mapping[str, object]) -> dict[str, FrameFile]:
    """Files of frames with their schemas: whoever reads one validates it."""
    files = {name: value for name, value in values.items() if isinstance(value, FrameFile)}
    return {name: replace(file, name=name, schema=schemas.get(name)) for name, file in files.items()}


def _save_reports(error: DataError) -> None:
    """Save the reports of an error as artifacts of the running step."""
    if not inside_pipeline():
        return
    if error.report is not None:
        save_artifact(error.report, VALIDATION_REPORT)
    if error.page is not None:
        save_artifact(HTMLString(error.page), EXPECTATIONS_REPORT)


def _output_names(annotation: Any) -> tuple[str, ...]:
    """Names in `Annotated[type, name]`, alone or in a tuple."""
    if annotation in (None, inspect.Signature.empty):
        return ("output",)
    outputs = get_args(annotation) if get_origin(annotation) is tuple else (annotation,)
    return tuple(_annotated_name(output) for output in outputs)


def _annotated_name(annotation: Any) -> str:
    if get_origin(annotation) is not Annotated:
        return "output"
    label = get_args(annotation)[1]
    return str(getattr(label, "name", label))
