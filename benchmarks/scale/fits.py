"""Memory of the training of one model, without pipelines, by the number of accidents.

    python -m benchmarks.scale.fits [--years 5,10,20] [--models TYPES] [--accidents 55000]

One synthetic year is repeated under other ids, and models have few trees: neither changes the memory of the matrices.
Every model is trained in a process of its own. Memory is the resident set: of the process with the tables and features,
and its peak during the training.
"""

import threading
import time
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import psutil

from accidents.configuration.environment import load_environment
from accidents.configuration.loading import load_configuration
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.models import model_types
from accidents.sample.writer import write_sample
from accidents.sources.folder import folder_editions
from accidents.tables import Accidents
from benchmarks.common import argument_parser, print_markdown
from benchmarks.scale.extrapolation import GIB

_FEW = {"lightgbm": {"rounds": 3}, "xgboost": {"rounds": 3}, "random_forest": {"n_estimators": 8}}
_ID_STEP = 100_000_000  # from one year to the next


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--years", default="5,10,20")
    parser.add_argument("--models", default=",".join(model_types()))
    parser.add_argument("--accidents", type=int, default=55_000, help="in each year")
    options = parser.parse_args()
    load_environment()
    rows = []
    with TemporaryDirectory(prefix="benchmark-") as name:
        year = Path(name) / "2005"
        year.mkdir()
        write_sample(year, accidents=options.accidents, year=2005)
        for model_type in options.models.split(","):
            for years in map(int, options.years.split(",")):
                with get_context("spawn").Pool(1) as pool:
                    before, peak, seconds = pool.apply(measure, (str(year), years, model_type))
                rows.append(
                    {
                        "model": model_type,
                        "accidents": f"{years * options.accidents:,}",
                        "tables and features, GiB": f"{before / GIB:.2f}",
                        "peak, GiB": f"{peak / GIB:.2f}",
                        "processor seconds": f"{seconds:.0f}",
                    }
                )
    print_markdown(rows)


def measure(folder: str, years: int, model_type: str) -> tuple[int, int, float]:
    """Resident bytes before the training of a model, their peak during it, and its processor seconds."""
    from accidents.training import train

    configuration = load_configuration(
        overrides={
            f"training.model_settings.{model_type}.parameters.{k}": v for k, v in _FEW.get(model_type, {}).items()
        }
    )
    one = ingest(folder_editions(folder, None), configuration.ingestion).accidents
    accidents = Accidents(*(_repeated(frame, years) for frame in vars(one).values()))
    features = _repeated(feature_frame(one), years)
    process, settings = psutil.Process(), configuration.training.for_model_type(model_type)
    before = peak = process.memory_info().rss
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.02):
            peak = max(peak, process.memory_info().rss)

    watcher, started = threading.Thread(target=watch), time.process_time()
    watcher.start()
    train(model_type, features, accidents.accidents, settings, level="call", details=accidents)
    seconds = time.process_time() - started
    ended.set()
    watcher.join()
    return before, peak, seconds


def _repeated(frame: pd.DataFrame, years: int) -> pd.DataFrame:
    parts = [frame.assign(Num_Acc=frame["Num_Acc"] + number * _ID_STEP) for number in range(years)]
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    main()
