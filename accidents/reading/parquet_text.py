"""Parquet tables as the text of a CSV file, so that every rule of reading holds for both."""

from typing import IO, TYPE_CHECKING

from accidents.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"PAR1"
"""First bytes of a Parquet file."""

_ROWS = 50_000  # in memory at a time


def write_as_csv(source: IO[bytes], target: IO[bytes]) -> None:
    """Write the rows of a Parquet file as CSV in UTF-8, separated by semicolons; null becomes an empty cell.

    Raises:
        DataError: the file is damaged, or a column holds lists or records.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(source)
        schema = pa.schema([(field.name, _plain(field.type)) for field in parquet.schema_arrow])
        with pacsv.CSVWriter(target, schema, write_options=pacsv.WriteOptions(delimiter=";")) as writer:
            for batch in parquet.iter_batches(_ROWS):
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"the Parquet file cannot be read: {error}") from error


def _plain(of: "pa.DataType") -> "pa.DataType":
    """The type of the values of a dictionary, or the type itself."""
    return getattr(of, "value_type", of) if str(of).startswith("dictionary") else of
