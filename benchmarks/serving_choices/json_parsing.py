"""Ways to read and write JSON, and to validate an accident."""

import importlib
import json
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

from accidents.requests import parse_request
from benchmarks.serving_choices.timing import microseconds
from serving.schemas.requests import accident_model

_REPEATS = 2000


def json_libraries(texts: Sequence[bytes], answer: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Microseconds to read an accident and to write an answer, by library that is installed."""
    readers, writers = _libraries()
    read = microseconds({name: _over(reader, texts) for name, reader in readers.items()}, _REPEATS)
    wrote = microseconds({name: _over(writer, [answer]) for name, writer in writers.items()}, _REPEATS)
    return {name: (read[name], wrote[name]) for name in readers}


def validators(texts: Sequence[bytes]) -> dict[str, float]:
    """Microseconds from JSON text to a validated accident, by way.

    `parse_request` gives the arrays that features are computed from, reports what is missing and doubtful, and checks
    values against each other. pydantic checks each value by itself and builds no arrays.
    """
    loads, model = importlib.import_module("orjson").loads, accident_model()
    ways: dict[str, Callable[[bytes], object]] = {
        "orjson, accidents.requests.parse_request": lambda text: parse_request(loads(text)),
        "pydantic, model_validate_json": model.model_validate_json,
        "orjson, pydantic, model_validate": lambda text: model.model_validate(loads(text)),
        "pydantic, then parse of its dump": lambda text: parse_request(
            model.model_validate_json(text).model_dump(exclude_none=True)
        ),
    }
    return microseconds({name: _over(way, texts) for name, way in ways.items()}, _REPEATS)


def _libraries() -> tuple[dict[str, Callable[[bytes], object]], dict[str, Callable[[Any], object]]]:
    readers: dict[str, Callable[[bytes], object]] = {"json": json.loads}
    writers: dict[str, Callable[[Any], object]] = {"json": lambda content: json.dumps(content).encode()}
    for name, read, write in (("orjson", "loads", "dumps"), ("msgspec.json", "decode", "encode")):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        readers[name], writers[name] = getattr(module, read), getattr(module, write)
    return readers, writers


def _over(call: Callable[[Any], object], contents: Sequence[Any]) -> Callable[[], object]:
    """The call with one content after the other."""
    contents_cycle = cycle(contents)
    return lambda: call(next(contents_cycle))
