"""Seconds to record a training of all model types in MLflow and to register the models.

    python -m benchmarks.tracking [--source FOLDER] [--repeats N]

Every repeat is a pair of uncached trainings, one tracked and one not, each a new process; the first pair, which creates
the databases, does not count. Times are wall-clock seconds.
"""

import statistics
import tempfile
from pathlib import Path

from benchmarks.common import options_of_folder, training_options
from benchmarks.training import seconds_by_phase


def main() -> None:
    """Print every pair and the median of their differences."""
    options = training_options(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        training = ("--training", "--source", options.source, "--no-cache")
        recorded = options_of_folder(folder)
        unrecorded = options_of_folder(folder, tracking={"mlflow": {"enabled": False}})
        added = []
        for repeat in range(options.repeats + 1):
            tracked, _ = seconds_by_phase(folder, *training, *recorded)
            untracked, _ = seconds_by_phase(folder, *training, *unrecorded)
            if repeat:
                added.append(tracked - untracked)
                print(f"tracked {tracked:.1f} s, untracked {untracked:.1f} s, difference {added[-1]:.1f} s", flush=True)
        print(f"recording and registering all model types: median {statistics.median(added):.1f} s more")


if __name__ == "__main__":
    main()
