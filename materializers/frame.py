"""Materializer of pandas frames: Parquet with index and dtypes, checksum, and a preview page."""

from functools import lru_cache
from typing import Any, ClassVar

import pandas as pd
from zenml import get_step_context
from zenml.enums import ArtifactType
from zenml.io import fileio
from zenml.materializers.materializer_registry import materializer_registry

from accidents.engine.frame_files import Frame, FrameFile, decode_frame, encode_frame, read_frame
from materializers.preview import preview
from materializers.single_file import SingleFileMaterializer

FILE_NAME = "frame.parquet"
_MOST_BYTES = 2**24  # of the Parquet file of a frame that is kept once it is read


class FrameMaterializer(SingleFileMaterializer):
    """Stores a pandas frame as one Parquet file, compressed with zstd, without loss.

    A step takes a frame that workers have written as a `FrameFile`, of which nothing is read; everybody else gets the
    frame.
    """

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (pd.DataFrame, FrameFile)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    FILE_NAME: ClassVar[str] = FILE_NAME

    def save(self, data: Frame) -> None:
        """Write the file, unless a worker has."""
        if not isinstance(data, FrameFile):
            super().save(data)
        elif data.location != frame_location(self.uri) or not self.artifact_store.exists(data.location):
            raise ValueError(f"{data.location}: no worker has written the frame of the artifact {self.uri} there")

    def load(self, data_type: type[Any]) -> Any:
        """Read the frame, or say a step where it is."""
        is_file = data_type is FrameFile and _inside_step()
        return FrameFile(frame_location(self.uri)) if is_file else super().load(data_type)

    def encode(self, data: pd.DataFrame) -> bytes:
        """The frame as Parquet."""
        return encode_frame(data)

    def decode(self, content: bytes) -> pd.DataFrame:
        """The frame, with index and dtypes; a small one that was read before is a copy on write."""
        return decode_frame(content) if len(content) > _MOST_BYTES else _read_once(content).copy(deep=False)

    def compute_content_hash(self, data: Frame) -> str:
        """SHA-256 of the file."""
        return data.sha256 if isinstance(data, FrameFile) else super().compute_content_hash(data)

    def extract_metadata(self, data: Frame) -> dict[str, Any]:
        """Rows, columns and checksum."""
        return {"rows": data.shape[0], "columns": data.shape[1], "sha256": self.compute_content_hash(data)}

    def pages(self, data: Frame) -> dict[str, str]:
        """Page with schema, missing values and first rows."""
        return {"preview.html": data.page if isinstance(data, FrameFile) else preview(data)}


_read_once = lru_cache(maxsize=12)(decode_frame)
"""Reads a frame that several steps of this process take from equal files once."""


def _inside_step() -> bool:
    try:
        get_step_context()
    except RuntimeError:
        return False
    return True


def load_frame(frame: Frame) -> pd.DataFrame:
    """The frame itself, or that of a file in the artifact store, which is opened as ZenML opens it."""
    return read_frame(frame, fileio.open)


def frame_location(uri: str) -> str:
    """The file of an artifact."""
    return f"{uri}/{FILE_NAME}"


materializer_registry.register_and_overwrite_type(key=pd.DataFrame, type_=FrameMaterializer)
materializer_registry.register_and_overwrite_type(key=FrameFile, type_=FrameMaterializer)
