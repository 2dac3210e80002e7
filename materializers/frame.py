"""Materializer of pandas frames: Parquet with index and dtypes, checksum, and a preview page."""

import hashlib
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from zenml.enums import ArtifactType, VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.materializers.materializer_registry import materializer_registry

from accidents.columns import MISSING, TABLES
from accidents.tables import LABEL
from materializers.page import render_page

FILE_NAME = "frame.parquet"
_PREVIEW_ROWS = 20
_MISSING_CODE_COLUMNS = {name for columns in TABLES.values() for name in columns} | {LABEL}


class FrameMaterializer(BaseMaterializer):
    """Stores a pandas frame as one Parquet file, compressed with zstd, without loss."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    _checksum: str | None = None

    def save(self, data: pd.DataFrame) -> None:
        """Write the frame."""
        content = _encode(data)
        self._checksum = hashlib.sha256(content).hexdigest()
        with self.artifact_store.open(f"{self.uri}/{FILE_NAME}", "wb") as file:
            file.write(content)

    def load(self, data_type: type[Any]) -> pd.DataFrame:  # noqa: ARG002  # the signature is ZenML's
        """Read the frame."""
        with self.artifact_store.open(f"{self.uri}/{FILE_NAME}", "rb") as file:
            return pq.read_table(pa.BufferReader(file.read())).to_pandas()

    def compute_content_hash(self, data: pd.DataFrame) -> str:
        """SHA-256 of the file; equal frames have equal hashes, so that downstream steps stay cached."""
        return self._checksum or hashlib.sha256(_encode(data)).hexdigest()

    def extract_metadata(self, data: pd.DataFrame) -> dict[str, Any]:
        """Rows, columns and checksum."""
        return {"rows": len(data), "columns": data.shape[1], "sha256": self.compute_content_hash(data)}

    def save_visualizations(self, data: pd.DataFrame) -> dict[str, VisualizationType]:
        """Write the preview page."""
        path = f"{self.uri}/preview.html"
        with self.artifact_store.open(path, "w") as file:
            file.write(preview(data))
        return {path: VisualizationType.HTML}


def _encode(data: pd.DataFrame) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(data), buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()


def _missing(name: str, cells: pd.Series) -> int:
    """Number of missing values: NaN, or the code for missing in a column of codes."""
    coded = name in _MISSING_CODE_COLUMNS and pd.api.types.is_integer_dtype(cells)
    return int((cells == MISSING).sum()) if coded else int(cells.isna().sum())


def preview(data: pd.DataFrame) -> str:
    """A small self-contained HTML page: schema with missing values, and the first rows.

    A frame whose rows are all shown is a table to read, and comes first; of a large one the schema comes first.
    """
    missing = [_missing(str(name), data.iloc[:, place]) for place, name in enumerate(data.columns)]
    schema = pd.DataFrame(
        {
            "column": [str(name) for name in data.columns],
            "dtype": data.dtypes.astype(str).to_numpy(),
            "missing": missing,
            "missing %": [round(100 * number / max(len(data), 1), 2) for number in missing],
        }
    )
    size = f"{len(data):,} rows, {data.shape[1]} columns"
    small = 0 < len(data) <= _PREVIEW_ROWS
    if small:
        return render_page([(size, data), ("Schema", schema)])
    return render_page(
        [(size, schema), *([("First rows", data.head(_PREVIEW_ROWS))] if len(data) else [])], side_by_side=True
    )


materializer_registry.register_and_overwrite_type(key=pd.DataFrame, type_=FrameMaterializer)
