"""One engine measured: seconds, processor seconds and memory of reading, features, fits, evaluation and scoring.

    python -m benchmarks.engines --source FOLDER --engine local
    python -m benchmarks.engines --source FOLDER --engine dask --workers 2

Processor seconds are those of this process and of the workers. Memory is the peak of each: of the process that asks
(the client) and of the largest worker, by `ru_maxrss`, which libraries alone bring to some 300 MB. `features` is a
digest of the feature frame, the same on both engines. The last model is evaluated on its test set. Scoring reads the
folder in chunks of 5,000 accidents.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from accidents.configuration.engine import EngineSettings
from accidents.configuration.environment import load_environment
from accidents.configuration.inference import InferenceSettings
from accidents.configuration.loading import load_configuration
from accidents.engine import Engine, connect
from benchmarks.common import argument_parser, print_markdown

_CHUNK = 5000
_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of ru_maxrss


def main() -> None:
    """Measure the phases on one engine and print one row a phase."""
    parser = argument_parser(__doc__)
    parser.add_argument("--source", default="sample")
    parser.add_argument("--engine", choices=("local", "dask"), default="local")
    parser.add_argument("--address")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--models", nargs="+", default=["lightgbm", "xgboost"])
    options = parser.parse_args()
    load_environment()
    started = time.perf_counter()
    with connect(EngineSettings(kind=options.engine, address=options.address, workers=options.workers)) as engine:
        print(f"{options.engine}, {len(engine.workers)} workers, after {time.perf_counter() - started:.1f} s")
        print_markdown(_measure(engine, options.source, options.models))


def _measure(engine: Engine, source: str, models: list[str]) -> list[dict[str, Any]]:
    from accidents.features import feature_frame
    from accidents.inference.batch_scoring import score_accidents
    from accidents.ingestion import ingest
    from accidents.report.model_report import report_on_held_out
    from accidents.sources.resolve import resolve_editions
    from accidents.training import train

    configuration = load_configuration(overrides={"ingestion.source.location": source})
    ingestion, rows = configuration.ingestion, []

    def phase(name: str, call: Callable[[], Any], note: Callable[[Any], str]) -> Any:
        wall, processor = time.perf_counter(), sum(_usage(engine, _processor_seconds))
        result = call()
        seconds = time.perf_counter() - wall, sum(_usage(engine, _processor_seconds)) - processor
        client, *workers = _usage(engine, _peak_memory)
        rows.append(
            {
                "phase": name,
                "seconds": f"{seconds[0]:.1f}",
                "processor seconds": f"{seconds[1]:.1f}",
                "client, GB": f"{client:.2f}",
                "largest worker, GB": f"{max(workers):.2f}" if workers else "",
                "result": note(result),
            }
        )
        print(rows[-1], flush=True)
        return result

    editions = resolve_editions(ingestion.source)
    accidents = phase(
        "reading and cleaning",
        lambda: ingest(editions, ingestion, engine=engine).accidents,
        lambda clean: f"{len(clean.accidents):,} accidents",
    )
    features = phase("features", lambda: feature_frame(accidents, engine=engine), _digest)
    for model in models:
        arguments = model, features, accidents.accidents, configuration.training.for_model_type(model)
        trained = phase(
            f"training of {model}",
            lambda arguments=arguments: engine.run(  # type: ignore[misc]
                train, *arguments, level="call", details=accidents, engine=engine
            ),
            lambda done: f"test AUC {done.bundle.metrics['test']['roc_auc']:.4f}",
        )
    subject = trained.bundle, features, accidents.accidents, configuration.evaluation
    phase(
        "evaluation",
        lambda: engine.run(report_on_held_out, *subject, source=source, fingerprint=""),
        lambda report: f"AUC {report[0]['roc_auc']:.4f}",
    )
    with tempfile.TemporaryDirectory() as folder:
        target, settings = str(Path(folder) / "scores.parquet"), InferenceSettings(chunk=_CHUNK)
        location = str(Path(next(iter(editions[0].files.values()))).parent)
        phase(
            "scoring",
            lambda: score_accidents(
                location,
                target,
                trained.bundle,
                settings,
                limits=ingestion.limits,
                engine=engine,
                progress=lambda _: None,
            ),
            lambda summary: f"{summary.scored:,} accidents",
        )
    return rows


def _digest(features: pd.DataFrame) -> str:
    return f"digest {int(pd.util.hash_pandas_object(features, index=False).sum()):016x}"


def _usage(engine: Engine, measure: Callable[[], float]) -> list[float]:
    """Of this process, and of the workers."""
    return [measure(), *engine.call_together(measure, [()] * len(engine.workers))]


def _processor_seconds() -> float:
    return time.process_time()


def _peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 1e9


if __name__ == "__main__":
    main()
