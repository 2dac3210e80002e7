"""An alternative that does nothing but ask the booster: FastAPI, and rows that are ready in memory. A lower bound."""

import os
from itertools import cycle

import numpy as np
from fastapi import FastAPI, Request

from accidents.bundle import Bundle

BUNDLE, ROWS = "BENCHMARK_BUNDLE", "BENCHMARK_ROWS"
"""Environment variables: the file of a model, and a `.npy` file of what it sees of accidents."""


def create() -> FastAPI:
    """The application: what is sent is received and not read, and the next row is answered."""
    application = FastAPI()
    model = Bundle.load(os.environ[BUNDLE]).model
    rows = np.load(os.environ[ROWS])
    single = cycle([rows[place : place + 1] for place in range(len(rows))])

    @application.get("/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @application.post("/predict")
    async def predict(request: Request) -> dict[str, float]:
        await request.body()
        return {"margin": float(model.margin(next(single))[0])}

    @application.post("/batch")
    async def batch(request: Request, size: int) -> dict[str, list[float]]:
        await request.body()
        return {"margins": model.margin(rows[:size]).tolist()}

    return application
