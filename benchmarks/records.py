"""Processor time of the prediction log: to add a record to its queue, and to write it to the database.

    python -m benchmarks.records [--database URL] [--inputs full|reduced|none] [--entries N] [--repeats N]

Each repeat adds a thousand entries at a time, as a batch of the service does, and then writes all of them. Figures are
microseconds of processor time of this process an entry; PostgreSQL works in processes of its own, whose time is not
in them. Without `--database` it is a SQLite file in a temporary folder.
"""

import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accidents.configuration.serving import RecordSettings
from benchmarks.common import argument_parser
from serving.records.database import migrate, open_database
from serving.records.prediction_log import PredictionLog
from serving.records.prediction_record import PredictionRecord, new_prediction_id

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "high_risk.json"
_AT_ONCE = 1000
_PATIENCE = 300.0


def main() -> None:
    """Print both figures of every repeat and their medians."""
    parser = argument_parser(__doc__)
    parser.add_argument("--database", metavar="URL")
    parser.add_argument("--inputs", choices=("full", "reduced", "none"), default="reduced")
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    content = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        settings = RecordSettings.model_validate(
            {
                "database_url": options.database or f"sqlite:///{folder}/serving.db",
                "inputs": options.inputs,
                "queue": options.entries,
                "flush_seconds": 60,
            }
        )
        engine = open_database(settings, {})
        migrate(engine)
        log = PredictionLog(engine, settings)
        figures = []
        for repeat in range(options.repeats + 1):
            figures.append(_measure(log, content, options.entries))
            if repeat:
                print("add {:.2f} µs, write {:.1f} µs an entry".format(*figures[-1]), flush=True)
        adding, writing = (statistics.median(column) for column in zip(*figures[1:], strict=True))
        print(f"{engine.dialect.name}, {options.inputs}: median add {adding:.2f} µs, write {writing:.1f} µs an entry")
        log.close(_PATIENCE)
        engine.dispose()


def _measure(log: PredictionLog, content: Any, entries: int) -> tuple[float, float]:
    """Microseconds an entry to add, and to write."""
    now = datetime.now(UTC)
    made = [
        PredictionRecord(
            id=new_prediction_id(),
            at=now,
            request_id="0190a5c2-benchmark",
            route="/v1/predict",
            caller="0123abcd",
            model="Accident_Prediction_XGBoost",
            version="3",
            model_sha256="5" * 64,
            type="xgboost",
            level="call",
            probability=0.702,
            threshold=0.357,
            prediction=1,
            latency_ms=0.31,
            missing=1,
            content=content,
        )
        for _ in range(entries)
    ]
    start = time.process_time()
    for first in range(0, entries, _AT_ONCE):
        log.add(made[first : first + _AT_ONCE])
    added = time.process_time()
    if not log.flush(_PATIENCE):
        raise SystemExit("the database took too long")
    return (added - start) / entries * 1e6, (time.process_time() - added) / entries * 1e6


if __name__ == "__main__":
    main()
