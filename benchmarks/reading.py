"""Time to read, clean and validate an edition, and how it scales with the number of accidents.

    python -m benchmarks.reading FOLDER [--accidents N ...]

FOLDER holds the four files of one year, such as the real months of 2024. With `--accidents`, the time of synthetic
years of N accidents is measured as well, and its ratio to that of the folder.
"""

import resource
import tempfile
from datetime import date
from functools import partial
from pathlib import Path

from accidents.cleaning.clean import clean_edition
from accidents.columns import Table
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.edition import read_edition
from accidents.sample.writer import write_sample
from accidents.schemas.raw import table_schema
from accidents.sources.edition import Edition
from benchmarks.common import argument_parser, best_time


def main() -> None:
    """Print one line a measurement."""
    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accidents", type=int, nargs="*", default=[], help="sizes of synthetic years to measure too")
    options = parser.parse_args()
    base = measure(options.folder)
    for accidents in options.accidents:
        with tempfile.TemporaryDirectory() as folder:
            write_sample(Path(folder), accidents=accidents)
            seconds = measure(Path(folder))
        print(f"{accidents:,} accidents against {options.folder}: {seconds / base:.1f} times the time")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB")


def measure(folder: Path) -> float:
    """Print the times of an edition; return the sum of reading and cleaning in seconds."""
    edition = find_edition(folder)
    reading = read_edition(edition)
    rows = ", ".join(f"{table} {len(file.rows):,}" for table, file in reading.files.items())
    print(f"{folder}: {rows}")
    reading_seconds = best_time("read and type four tables", lambda: read_edition(edition))
    cleaning_seconds = best_time(
        "clean", lambda: clean_edition(reading, DataQualityLimits(), labelled=True, today=date.max)
    )
    for table in Table:
        best_time(f"validate {table}", partial(table_schema(table).validate, reading.files[table].frame, lazy=True))
    return reading_seconds + cleaning_seconds


def find_edition(folder: Path) -> Edition:
    """The edition of a folder with one year in it."""
    starts = {Table.CARACTERISTIQUES: "car*.csv"}
    return Edition(None, {table: str(next(folder.glob(starts.get(table, f"{table}*.csv")))) for table in Table})


if __name__ == "__main__":
    main()
