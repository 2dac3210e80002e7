"""Calls of the domain from steps, with frames in this process, or with files of them on a worker of the engine."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial, update_wrapper
from typing import Any
from uuid import uuid4

from zenml import get_step_context
from zenml.client import Client
from zenml.io import fileio

from accidents.configuration.engine import EngineSettings
from accidents.engine import RESTARTS, Engine, WorkerLostError, connect
from accidents.engine.frame_files import AccidentFrames, Frame, FrameFile, call_with_frames, write_probe
from accidents.tables import Accidents
from materializers.frame import frame_location, load_frame
from materializers.preview import preview
from steps.metadata import inside_pipeline

Schema = Callable[[], Any]

_seen: dict[tuple[str, str], bool] = {}
"""Whether the workers of an engine see an artifact store, by its path and the settings of the engine."""


def run(
    settings: EngineSettings,
    function: Callable[..., Any],
    /,
    *arguments: Any,
    outputs: Mapping[str, Schema | None] | None = None,
    takes_engine: bool = False,
    **options: Any,
) -> Any:
    """Call a function of the domain once on an engine, as `Engine.run` does.

    On a cluster, a worker reads the files of frames, and writes frames that are artifacts of the step to their place,
    so that the memory of this process does not grow with the accidents. Where workers do not see the artifact store,
    frames pass through this process.

    Args:
        settings: of the engine.
        function: of a module; takes frames and `Accidents`.
        *arguments: its arguments; files may stand for frames, and `AccidentFrames` for `Accidents`.
        outputs: by name of the artifact, the schemas of the first frames that it returns; they are checked by whoever
            writes the files.
        takes_engine: whether it has a parameter `engine`, for calls of its own.
        **options: its keyword arguments, like `arguments`; `progress` as for `Engine.run`.
    """
    with connect(settings) as engine:
        if takes_engine:
            options["engine"] = engine
        if engine.is_remote and inside_pipeline() and _workers_see(_artifact_store(), settings, engine):
            uri = get_step_context().get_output_artifact_uri
            files = [FrameFile(frame_location(uri(name)), name, schema) for name, schema in (outputs or {}).items()]
            call = update_wrapper(partial(call_with_frames, function, files, preview), function)  # errors name it
            return engine.run(call, *arguments, **options)
        read = {name: _read(value) for name, value in options.items()}
        return engine.run(function, *map(_read, arguments), **read)


def load_accidents(accidents: Frame, vehicles: Frame, people: Frame) -> Accidents:
    """Accidents of frames, or of files in the artifact store."""
    return AccidentFrames(accidents, vehicles, people).read(fileio.open)


def _artifact_store() -> str:
    return str(Client().active_stack.artifact_store.path)


def _read(value: Any) -> Any:
    if isinstance(value, AccidentFrames):
        return value.read(fileio.open)
    return load_frame(value) if isinstance(value, FrameFile) else value


def _workers_see(store: str, settings: EngineSettings, engine: Engine) -> bool:
    """Whether each worker can write into a folder of the artifact store so that this process finds what it wrote."""
    key, fault = (store, settings.model_dump_json()), ""
    if key not in _seen:
        folder = f"{store}/probe-{uuid4().hex}"
        fileio.makedirs(folder)
        for _ in range(1 + RESTARTS):
            try:
                fault = _fault(engine, folder)
            except WorkerLostError as error:
                fault = str(error)
            else:
                _seen[key] = not fault
                break
        with suppress(Exception):  # an object store has no empty folders; each raises errors of its own
            fileio.rmtree(folder)
        if fault:
            engine.report(f"workers do not see {store} ({fault}): frames pass through this process")
    return _seen.get(key, False)


def _fault(engine: Engine, folder: str) -> str:
    """Why a worker cannot write into a folder that this process sees; empty if all can."""
    probes = [f"{folder}/{number}" for number, _ in enumerate(engine.workers)]
    failures = engine.call_together(write_probe, [(probe,) for probe in probes])
    missing = (f"nothing at {probe}" for probe in probes if not fileio.exists(probe))
    return next(filter(None, (*failures, *missing)), "")
