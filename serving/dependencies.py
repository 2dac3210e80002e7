"""What every route works with: one object an application, found through the request."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from sqlalchemy import Engine

from accidents.configuration.serving import ServingSettings
from serving.auth.key_cache import KeyRing
from serving.http.errors import ServingError
from serving.model.model_loader import Current, Served
from serving.model.predictor import Asked
from serving.observability.metrics import Metrics
from serving.observability.request_log import Logger
from serving.records.prediction_log import PredictionLog


@dataclass
class World:
    """Settings, model, database, metrics and log of a running application."""

    settings: ServingSettings
    current: Current
    engine: Engine
    log: PredictionLog
    ring: KeyRing
    metrics: Metrics
    logger: Logger

    @property
    def pointer(self) -> Path:
        """The file that says which model to serve."""
        return self.current.path

    def tell_log(self) -> None:
        """Let the metrics know what became of the entries of the prediction log."""
        counts = self.log.counts()
        states = ("written", "dropped", "failed", "waiting", "errors")
        self.metrics.log({state: getattr(counts, state) for state in states})

    def served(self) -> Served:
        """The model that answers; a request takes hold of it once.

        Raises:
            ServingError: there is none yet.
        """
        served = self.current.served
        if served is None:
            raise ServingError(503, "no_model", "no model is loaded yet", headers={"Retry-After": "1"})
        return served


def world_of(request: Request) -> World:
    """The world that a request belongs to."""
    world: World = request.app.state.world
    return world


def asked(request: Request) -> Asked:
    """By whom a request is and how it came in, for the log."""
    state = request.scope["state"]
    return Asked(state["request_id"], request.scope["route"].path, state["caller"].id)
