"""Time of cleaning and features together, how it grows with the number of accidents, and of one request.

    python benchmarks/features.py FOLDER [--accidents N]

FOLDER holds the four files of one year, such as the real months of 2024; reading them is not part of the time, nor are
validation reports and encoders. With `--accidents`, a synthetic year of N accidents is written, read and measured too:
1,100,000 of them should take at most 40 times the time of the months of 2024, and less than 8 GiB.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from accidents.cleaning.clean import clean_edition
from accidents.configuration.data_quality import DataQualityLimits
from accidents.features import feature_frame, feature_vector
from accidents.features.catalogue import CELLS
from accidents.features.compute import place_cells
from accidents.features.place_encoder import PlaceEncoder
from accidents.reading.edition import read_edition
from accidents.requests import parse_request
from accidents.sample.writer import write_sample
from accidents.sources.folder import folder_editions

REPEATS = 5
REQUEST = Path(__file__).resolve().parents[1] / "examples" / "high_risk.json"


def main() -> None:
    """Print one line a measurement: the best of several runs, wall and processor time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accidents", type=int, help="size of a synthetic year to measure as well")
    arguments = parser.parse_args()
    base = measure_year(arguments.folder)
    measure_request(arguments.folder)
    if arguments.accidents:
        with tempfile.TemporaryDirectory() as folder:
            write_sample(Path(folder), accidents=arguments.accidents)
            seconds = measure_year(Path(folder), repeats=2)
        say(f"{arguments.accidents:,} accidents take {seconds / base:.1f} times the time of {arguments.folder}")
    say(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def measure_year(folder: Path, repeats: int = REPEATS) -> float:
    """Print the times of cleaning and features of one year; gives the seconds of both together."""
    (edition,) = folder_editions(str(folder), None)
    reading = read_edition(edition)
    accidents = clean_edition(reading, DataQualityLimits(), labelled=True, today=date.max).accidents
    feature_frame(accidents)  # compiles the kernels, or loads them
    say(f"{folder}: {len(accidents.accidents):,} accidents, {len(accidents.people):,} people")
    cleaning = best(
        "clean", lambda: clean_edition(reading, DataQualityLimits(), labelled=True, today=date.max), repeats
    )
    features = best("features", lambda: feature_frame(accidents), repeats)
    say(f"together {cleaning + features:.3f} s, {1e6 * (cleaning + features) / len(accidents.accidents):.1f} µs each")
    return cleaning + features


def measure_request(folder: Path) -> None:
    """Print the times of one accident that comes as JSON."""
    (edition,) = folder_editions(str(folder), None)
    accidents = clean_edition(read_edition(edition), DataQualityLimits(), labelled=True, today=date.max).accidents
    encoder = PlaceEncoder().fit(feature_frame(accidents)[list(CELLS)], accidents.accidents["priority"] == 1)
    content = json.loads(REQUEST.read_text(encoding="utf-8"))
    arrays = parse_request(content).arrays
    for name, function in (
        ("parse", lambda: parse_request(content)),
        ("features of", lambda: feature_vector(arrays)),
        ("encoded places of", lambda: encoder.transform(place_cells(arrays))),
    ):
        best(f"{name} 1,000 requests, one by one", partial(_thousand_times, function))


def _thousand_times(function: Callable[[], object]) -> None:
    for _ in range(1000):
        function()


def best(name: str, function: Callable[[], object], repeats: int = REPEATS) -> float:
    """Print and give the least wall time of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        function()
        times.append((time.perf_counter() - wall, time.process_time() - processor))
    wall, processor = min(times)
    say(f"{name}: {wall:.3f} s, processor {processor:.3f} s")
    return wall


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
