"""Frames in Parquet files that workers read and write themselves, so that they do not pass through the client."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from accidents.atomic_write import atomic_write
from accidents.memory import release_memory
from accidents.schemas.validation import validate_frame
from accidents.tables import Accidents

OpenFile: TypeAlias = Callable[..., Any]
"""Opens a path or URL in a mode, as `open` and `fsspec.open` do."""


@dataclass(frozen=True)
class FrameFile:
    """A frame in a Parquet file, which whoever needs its rows reads.

    Attributes:
        location: local path or fsspec URL.
        name: of the frame, for messages.
        schema: a function of a module that returns the pandera schema by which frames are checked; None: any frame.
        shape: rows and columns; unknown until it is written.
        sha256: of the file; likewise.
        page: description of the frame in HTML; likewise.
    """

    location: str
    name: str = "frame"
    schema: Callable[[], Any] | None = None
    shape: tuple[int, int] = (0, 0)
    sha256: str = ""
    page: str = ""

    def read(self, open_file: OpenFile | None = None) -> pd.DataFrame:
        """Read the frame, with index and dtypes.

        Args:
            open_file: opens the location; None: by fsspec, which finds credentials in the environment.

        Raises:
            DataError: the frame does not match the schema.
        """
        with (open_file or _open)(self.location, "rb") as file:
            frame = decode_frame(file.read())
        if self.schema is not None:
            validate_frame(frame, self.name, self.schema)
        return frame

    def write(self, frame: pd.DataFrame, describe: Callable[[pd.DataFrame], str]) -> "FrameFile":
        """Write a frame to the location, a local file whole or not at all; returns what is known of it.

        Args:
            frame: the frame.
            describe: returns a page of HTML about it.

        Raises:
            DataError: the frame does not match the schema.
        """
        if self.schema is not None:
            validate_frame(frame, self.name, self.schema)
        content = encode_frame(frame)
        if "://" in self.location:
            with _open(self.location, "wb") as file:
                file.write(content)
        else:
            with atomic_write(Path(self.location)) as temporary, temporary.open("wb") as file:
                file.write(content)
        digest = hashlib.sha256(content).hexdigest()
        return replace(self, shape=frame.shape, sha256=digest, page=describe(frame))


Frame: TypeAlias = pd.DataFrame | FrameFile
"""A frame, or the file of one that workers have written."""


@dataclass(frozen=True)
class AccidentFrames:
    """The frames of `accidents.tables.Accidents`, or their files."""

    accidents: Frame
    vehicles: Frame
    people: Frame

    def read(self, open_file: OpenFile | None = None) -> Accidents:
        """The accidents; `open_file` as for `FrameFile.read`."""
        return Accidents(*(read_frame(frame, open_file) for frame in (self.accidents, self.vehicles, self.people)))


def read_frame(frame: Frame, open_file: OpenFile | None = None) -> pd.DataFrame:
    """The frame itself, or that of a file; `open_file` as for `FrameFile.read`."""
    return frame.read(open_file) if isinstance(frame, FrameFile) else frame


def call_with_frames(
    function: Callable[..., Any],
    outputs: Sequence[FrameFile],
    describe: Callable[[pd.DataFrame], str],
    *arguments: Any,
    **options: Any,
) -> Any:
    """Call a function with the frames of files, in the process that needs them.

    Args:
        function: of a module; takes frames and `Accidents`.
        outputs: files for the first frames that it returns, alone or in a tuple; they are returned in their place.
        describe: returns a page of HTML about a frame.
        *arguments: its arguments, with files in place of frames and `AccidentFrames` in place of `Accidents`.
        **options: its keyword arguments, likewise.

    Raises:
        DataError: a frame does not match the schema of its file.
    """
    once: dict[FrameFile, pd.DataFrame] = {}

    def read(value: Any) -> Any:
        if isinstance(value, AccidentFrames):
            return Accidents(*map(read, (value.accidents, value.vehicles, value.people)))
        if isinstance(value, FrameFile):
            if value not in once:
                once[value] = value.read()
            return once[value]
        return value

    result = function(*map(read, arguments), **{name: read(value) for name, value in options.items()})
    once.clear()
    is_one = not isinstance(result, tuple)
    values = [result] if is_one else [*result]
    del result
    for position, file in enumerate(outputs):
        values[position] = file.write(values[position], describe)
    release_memory()
    return values[0] if is_one else tuple(values)


def encode_frame(frame: pd.DataFrame) -> bytes:
    """A frame as Parquet with index and dtypes, compressed with zstd; equal frames give equal bytes."""
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame), buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()


def decode_frame(content: bytes) -> pd.DataFrame:
    """The frame of `encode_frame`; its columns take the place of Arrow arrays, so that none is held twice."""
    return pq.read_table(pa.BufferReader(content)).to_pandas(split_blocks=True, self_destruct=True)


def write_probe(location: str) -> str:
    """Write an empty file; what went wrong, empty if nothing did."""
    try:
        with _open(location, "wb"):
            return ""
    except Exception as error:  # each file system has errors of its own
        return f"{type(error).__name__}: {error}"


def _open(location: str, mode: str) -> Any:
    if "://" not in location:
        return Path(location).open(mode)
    import fsspec  # slow to import, and local files do not need it

    return fsspec.open(location, mode)
