"""Ask a registered model for the accidents that were stored with it; a program of its own.

    python -P tracking/smoke_test_process.py MODEL_URI

Started in a process and a folder of its own, so that the model answers with the code that was stored with it and not
with that of the project. Prints JSON: `expected` and `answered` probabilities, and `milliseconds` of single accidents.
"""

import json
import logging
import sys
import time
from pathlib import Path

_ALONE = 20
"""Accidents that are asked one by one, for the time they take."""


def main(uri: str) -> None:
    """Load the model, ask it, and print what it says."""
    logging.disable(logging.WARNING)
    import mlflow
    import pandas as pd

    folder = mlflow.artifacts.download_artifacts(artifact_uri=uri)
    stored = pd.read_json(Path(folder) / "artifacts" / "stored_accidents.json", orient="records", precise_float=True)
    model = mlflow.pyfunc.load_model(folder)
    answered = model.predict(stored[["accident"]])["probability"]
    print(
        json.dumps(
            {
                "expected": stored["probability"].tolist(),
                "answered": answered.tolist(),
                "labels": stored["label"].tolist(),
                "milliseconds": [_alone(model, stored[["accident"]].iloc[[row]]) for row in range(_ALONE)],
            }
        )
    )


def _alone(model: "object", accident: "object") -> float:
    started = time.perf_counter()
    model.predict(accident)  # type: ignore[attr-defined]
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1])
