"""Lower bound: a FastAPI application that predicts prepared rows with the booster and reads no request."""

import os
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
from fastapi import FastAPI, Request

from accidents.bundle import Bundle

BUNDLE, ROWS = "BENCHMARK_BUNDLE", "BENCHMARK_ROWS"
"""Environment variables: the file of a model, and a `.npy` file with its inputs."""


def _booster(model: Any) -> Callable[[Any], Any]:
    """Log-odds from the library that trained the model."""
    match type(model).__module__.rpartition(".")[2]:
        case "xgboost":
            return lambda X: model.booster.inplace_predict(X, predict_type="margin", validate_features=False)
        case "lightgbm":
            return lambda X: model.booster.predict(X, raw_score=True, num_threads=1)
    return model.predict_margin


def create() -> FastAPI:
    """An application that ignores the body and predicts the next row."""
    application = FastAPI()
    margin = _booster(Bundle.load(os.environ[BUNDLE]).model)
    rows = np.load(os.environ[ROWS])
    single = cycle([rows[place : place + 1] for place in range(len(rows))])

    @application.get("/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @application.post("/predict")
    async def predict(request: Request) -> dict[str, float]:
        await request.body()
        return {"margin": float(margin(next(single))[0])}

    @application.post("/batch")
    async def batch(request: Request, size: int) -> dict[str, list[float]]:
        await request.body()
        return {"margins": margin(rows[:size]).tolist()}

    return application
