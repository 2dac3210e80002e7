"""Time to read, clean and validate an edition, and how it grows with the number of accidents.

    python benchmarks/reading.py FOLDER [--accidents N ...]

FOLDER holds the four files of one year, such as the real months of 2024. With `--accidents`, the time of synthetic
years of N accidents is measured as well, and its ratio to that of the folder.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
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

REPEATS = 5
WARMING = 1


def main() -> None:
    """Print one line a measurement: the best of several runs, wall and processor time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accidents", type=int, nargs="*", default=[], help="sizes of synthetic years to measure too")
    arguments = parser.parse_args()
    base = measure(arguments.folder)
    for accidents in arguments.accidents:
        with tempfile.TemporaryDirectory() as folder:
            write_sample(Path(folder), accidents=accidents)
            seconds = measure(Path(folder))
        print_line(f"{accidents:,} accidents against {arguments.folder}: {seconds / base:.1f} times the time")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print_line(f"peak memory {peak:.2f} GiB")


def measure(folder: Path) -> float:
    """Print the times of an edition; gives the wall time of reading and cleaning together."""
    edition = edition_of(folder)
    reading = read_edition(edition)
    rows = ", ".join(f"{table} {len(file.rows):,}" for table, file in reading.files.items())
    print_line(f"{folder}: {rows}")
    of_reading = best("read and type four tables", lambda: read_edition(edition))
    of_cleaning = best("clean", lambda: clean_edition(reading, DataQualityLimits(), labelled=True, today=date.max))
    for table in Table:
        best(f"validate {table}", partial(table_schema(table).validate, reading.files[table].frame, lazy=True))
    return of_reading + of_cleaning


def edition_of(folder: Path) -> Edition:
    """The edition of a folder with one year in it."""
    starts = {Table.CARACTERISTIQUES: "car*.csv"}
    return Edition(None, {table: str(next(folder.glob(starts.get(table, f"{table}*.csv")))) for table in Table})


def best(name: str, work: Callable[[], object]) -> float:
    """Print the least wall and processor seconds of several runs; gives the wall seconds."""
    walls, processors = [], []
    for _ in range(WARMING + REPEATS):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    print_line(f"  {name:28} {min(walls[WARMING:]):7.3f} s wall {min(processors[WARMING:]):7.3f} s processor")
    return min(walls[WARMING:])


def print_line(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
