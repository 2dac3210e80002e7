"""Script: predict the accidents that are stored with a registered model.

    python -P tracking/smoke_test_process.py FOLDER

Runs in its own process and folder, so that the model is loaded with the code stored with it and not with the code of
the project. Prints JSON: `expected` and `predicted` probabilities, `labels`, and `milliseconds` of single predictions.
"""

import json
import logging
import sys
import time
from pathlib import Path

_TIMED = 20
"""Number of single predictions that are timed."""


def main(folder: str) -> None:
    """Load the model, predict its stored accidents, and print the result."""
    logging.disable(logging.WARNING)
    import mlflow
    import pandas as pd

    stored = pd.read_json(Path(folder) / "artifacts" / "stored_accidents.json", orient="records", precise_float=True)
    model = mlflow.pyfunc.load_model(folder)
    predicted = model.predict(stored[["accident"]])["probability"]
    print(
        json.dumps(
            {
                "expected": stored["probability"].tolist(),
                "predicted": predicted.tolist(),
                "labels": stored["label"].tolist(),
                "milliseconds": [_milliseconds(model, stored[["accident"]].iloc[[row]]) for row in range(_TIMED)],
            }
        )
    )


def _milliseconds(model: "object", accident: "object") -> float:
    started = time.perf_counter()
    model.predict(accident)  # type: ignore[attr-defined]
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1])
