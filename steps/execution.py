"""Calls of the domain from steps, with frames in this process, or with files of them on a worker of the engine."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

from zenml import get_step_context
from zenml.client import Client
from zenml.io import fileio

from accidents.configuration.engine import EngineSettings
from accidents.engine import Engine, connect
from accidents.engine.frame_files import AccidentFrames, Frame, FrameFile, call_with_frames, can_write
from accidents.tables import Accidents
from materializers.frame import frame_location, load_frame
from materializers.preview import preview
from steps.metadata import inside_pipeline

Schema = Callable[[], Any]

_seen: dict[str, bool] = {}
"""Whether the workers of this process's engine see an artifact store, by its path."""


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
        **options: its keyword arguments, likewise; `progress` as for `Engine.run`.
    """
    with connect(settings) as engine:
        if takes_engine:
            options["engine"] = engine
        if engine.is_remote and inside_pipeline() and _workers_see(Client().active_stack.artifact_store.path, engine):
            uri = get_step_context().get_output_artifact_uri
            files = [FrameFile(frame_location(uri(name)), name, schema) for name, schema in (outputs or {}).items()]
            return engine.run(call_with_frames, function, files, preview, *arguments, **options)
        read = {name: _read(value) for name, value in options.items()}
        return engine.run(function, *map(_read, arguments), **read)


def load_accidents(accidents: Frame, vehicles: Frame, people: Frame) -> Accidents:
    """Accidents of frames, or of files in the artifact store."""
    return AccidentFrames(accidents, vehicles, people).read(fileio.open)


def _read(value: Any) -> Any:
    if isinstance(value, AccidentFrames):
        return value.read(fileio.open)
    return load_frame(value) if isinstance(value, FrameFile) else value


def _workers_see(store: str, engine: Engine) -> bool:
    """Whether a worker can write into the artifact store so that this process finds what it wrote."""
    if store not in _seen:
        probe = f"{store}/{uuid4().hex}.probe"
        _seen[store] = bool(engine.run(can_write, probe)) and _removed(probe)
        if not _seen[store]:
            engine.report(f"the workers do not see {store}: frames pass through this process")
    return _seen[store]


def _removed(location: str) -> bool:
    """Remove a file; whether there was one."""
    with suppress(Exception):  # each file system has errors of its own
        fileio.remove(location)
        return True
    return False
