"""Time to clean accidents and compute their features, how it scales with the number of accidents, and of one request.

    python -m benchmarks.features FOLDER [--accidents N]

FOLDER holds the four files of one year, such as the real months of 2024; reading them is not part of the time, nor are
validation reports and encoders. With `--accidents`, a synthetic year of N accidents is written, read and measured too:
1,100,000 of them should take at most 40 times the time of the months of 2024, and less than 8 GiB.
"""

import json
import resource
import tempfile
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from accidents.cleaning.clean import clean_edition
from accidents.configuration.data_quality import DataQualityLimits
from accidents.features import feature_frame
from accidents.features.catalogue import CELLS
from accidents.features.compute import compute, place_cells
from accidents.features.place_encoder import PlaceEncoder
from accidents.reading.edition import read_edition
from accidents.requests import parse_request
from accidents.sample.writer import write_sample
from accidents.sources.folder import folder_editions
from benchmarks.common import argument_parser, best_time

REQUEST = Path(__file__).resolve().parents[1] / "examples" / "high_risk.json"


def main() -> None:
    """Print one line a measurement."""
    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accidents", type=int, help="size of a synthetic year to measure as well")
    options = parser.parse_args()
    base = measure_year(options.folder)
    measure_request(options.folder)
    if options.accidents:
        with tempfile.TemporaryDirectory() as folder:
            write_sample(Path(folder), accidents=options.accidents)
            seconds = measure_year(Path(folder), repeats=2)
        print(f"{options.accidents:,} accidents take {seconds / base:.1f} times the time of {options.folder}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def measure_year(folder: Path, repeats: int = 5) -> float:
    """Print the times to clean a year and to compute its features; return the sum of both in seconds."""
    (edition,) = folder_editions(str(folder), None)
    reading = read_edition(edition)
    accidents = clean_edition(reading, DataQualityLimits(), labelled=True, today=date.max).accidents
    print(f"{folder}: {len(accidents.accidents):,} accidents, {len(accidents.people):,} people")
    cleaning = best_time(
        "clean", lambda: clean_edition(reading, DataQualityLimits(), labelled=True, today=date.max), repeats
    )
    features = best_time("features", lambda: feature_frame(accidents), repeats)
    print(f"together {cleaning + features:.3f} s, {1e6 * (cleaning + features) / len(accidents.accidents):.1f} µs each")
    return cleaning + features


def measure_request(folder: Path) -> None:
    """Print the times of the parts of one request."""
    (edition,) = folder_editions(str(folder), None)
    accidents = clean_edition(read_edition(edition), DataQualityLimits(), labelled=True, today=date.max).accidents
    encoder = PlaceEncoder().fit(feature_frame(accidents)[list(CELLS)], accidents.accidents["priority"] == 1)
    content = json.loads(REQUEST.read_text(encoding="utf-8"))
    arrays = parse_request(content).arrays
    for name, function in (
        ("parse", lambda: parse_request(content)),
        ("features of", lambda: compute(arrays)[0]),
        ("place encoding of", lambda: encoder.transform(place_cells(arrays))),
    ):
        best_time(f"{name} 1,000 requests, one by one", partial(_thousand_times, function))


def _thousand_times(function: Callable[[], object]) -> None:
    for _ in range(1000):
        function()


if __name__ == "__main__":
    main()
