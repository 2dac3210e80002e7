"""What the samples that bound the memory of a training cost: answers from partial knowledge with and without them.

    python -m benchmarks.scale.samples [--years 5] [--models lightgbm] [--accidents 55000] [--seeds 0,1,2]

Synthetic years, each drawn anew; random split. Metrics are of 1,000 test accidents by what is known of them, as in the
model card; a difference is that without samples less that with them.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np

from accidents.configuration.environment import load_environment
from accidents.configuration.ingestion import IngestionSettings
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.sample.writer import write_sample
from accidents.sources.folder import folder_editions
from benchmarks.common import argument_parser, print_markdown
from benchmarks.modelling import settings

_LAST, _NO_LIMIT = 2024, 10**9
_METRICS = ("roc_auc", "f1", "ece")


def main() -> None:
    """Train with and without samples, and print the differences."""
    parser = argument_parser(__doc__)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--models", default="lightgbm")
    parser.add_argument("--accidents", type=int, default=55_000, help="in each year")
    parser.add_argument("--seeds", default="0,1,2")
    options = parser.parse_args()
    load_environment()
    from accidents.training import train
    from accidents.training.partial_fit import _CALIBRATED
    from accidents.training.training_data import MASKED_AT_MOST

    with TemporaryDirectory(prefix="benchmark-") as name:
        for year in range(_LAST - options.years + 1, _LAST + 1):
            (folder := Path(name) / str(year)).mkdir()
            write_sample(folder, accidents=options.accidents, year=year)
        accidents = ingest(folder_editions(name, None), IngestionSettings()).accidents
    features = feature_frame(accidents)
    for model_type in options.models.split(","):
        differences: dict[str, list[list[float]]] = {}
        for seed in map(int, options.seeds.split(",")):
            found = []
            for masked, calibrated in ((MASKED_AT_MOST, _CALIBRATED), (_NO_LIMIT, _NO_LIMIT)):
                with (
                    patch("accidents.training.training_data.MASKED_AT_MOST", masked),
                    patch("accidents.training.partial_fit._CALIBRATED", calibrated),
                ):
                    trained = train(
                        model_type, features, accidents.accidents, settings(seed), level="call", details=accidents
                    )
                found.append(trained.bundle.by_knowledge)
            for known, metrics in found[0].items():
                differences.setdefault(known, []).append([found[1][known][one] - metrics[one] for one in _METRICS])
        print(f"\n{model_type}, {len(features):,} accidents")
        print_markdown(
            {"what is known": known}
            | {
                metric: f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"
                for metric, mean, low, high in zip(
                    _METRICS, np.mean(rows, axis=0), np.min(rows, axis=0), np.max(rows, axis=0), strict=True
                )
            }
            for known, rows in differences.items()
        )


if __name__ == "__main__":
    main()
