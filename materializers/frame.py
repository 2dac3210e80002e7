"""Materializer of pandas frames: Parquet with index and dtypes, checksum, and a preview page."""

from functools import lru_cache
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from zenml.enums import ArtifactType
from zenml.materializers.materializer_registry import materializer_registry

from accidents.columns import MISSING, TABLES
from accidents.tables import LABEL
from materializers.page import render_page
from materializers.single_file import SingleFileMaterializer

FILE_NAME = "frame.parquet"
_PREVIEW_ROWS = 20
_MOST_BYTES = 2**24  # of the Parquet file of a frame that is kept once it is read
_MISSING_CODE_COLUMNS = {name for columns in TABLES.values() for name in columns} | {LABEL}


class FrameMaterializer(SingleFileMaterializer):
    """Stores a pandas frame as one Parquet file, compressed with zstd, without loss."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    FILE_NAME: ClassVar[str] = FILE_NAME

    def encode(self, data: pd.DataFrame) -> bytes:
        """The frame as Parquet."""
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pandas(data), buffer, compression="zstd")
        return buffer.getvalue().to_pybytes()

    def decode(self, content: bytes) -> pd.DataFrame:
        """The frame, with index and dtypes; a small one that was read before is a copy on write."""
        return _read(content) if len(content) > _MOST_BYTES else _read_once(content).copy(deep=False)

    def extract_metadata(self, data: pd.DataFrame) -> dict[str, Any]:
        """Rows, columns and checksum."""
        return {"rows": len(data), "columns": data.shape[1], "sha256": self.compute_content_hash(data)}

    def pages(self, data: pd.DataFrame) -> dict[str, str]:
        """Page with schema, missing values and first rows."""
        return {"preview.html": preview(data)}


def _read(content: bytes) -> pd.DataFrame:
    """Read a frame whose columns take the place of Arrow arrays, so that none is held twice."""
    return pq.read_table(pa.BufferReader(content)).to_pandas(split_blocks=True, self_destruct=True)


_read_once = lru_cache(maxsize=12)(_read)
"""Reads a frame that several steps of this process take from equal files once."""


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
    if 0 < len(data) <= _PREVIEW_ROWS:
        return render_page([(size, data), ("Schema", schema)])
    first_rows = [("First rows", data.head(_PREVIEW_ROWS))] if len(data) else []
    return render_page([(size, schema), *first_rows], side_by_side=True)


materializer_registry.register_and_overwrite_type(key=pd.DataFrame, type_=FrameMaterializer)
