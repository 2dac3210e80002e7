"""What it costs to record a training of all model types in MLflow and to register them.

    python -m benchmarks.tracking [--source FOLDER] [--repeats N]

Every repeat is a pair of uncached trainings, one recorded and one not, each a fresh process; the first pair of all,
which also makes the databases, is not counted. Times are seconds of wall clock.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.training import seconds_by_phase

UNTRACKED = "pipeline: tracking\nmlflow: {enabled: false}\n"


def main() -> None:
    """Print every pair and the median of their differences."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--source", default="sample")
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        (world / "untracked.yaml").write_text(UNTRACKED)
        training = ("--training", "--source", given.source, "--no-cache")
        added = []
        for repeat in range(given.repeats + 1):
            recorded, _ = seconds_by_phase(world, *training)
            plain, _ = seconds_by_phase(world, *training, "--config", str(world / "untracked.yaml"))
            if repeat:
                added.append(recorded - plain)
                print(
                    f"recorded {recorded:.1f} s, not recorded {plain:.1f} s, difference {added[-1]:.1f} s", flush=True
                )
        print(f"recording and registering all model types: median {statistics.median(added):.1f} s more")


if __name__ == "__main__":
    main()
