"""Dependencies of the routes: the state of the application and the context of a request."""

from dataclasses import asdict, dataclass

from fastapi import Request
from sqlalchemy import Engine

from accidents.configuration.serving import ServingSettings
from serving.auth.key_cache import KeyCache
from serving.http.errors import ApiError
from serving.http.load import Load
from serving.model.model_loader import LoadedModel, ModelLoader
from serving.model.predictor import RequestContext
from serving.observability.metrics import Metrics
from serving.observability.telemetry import Logger
from serving.records.prediction_log import PredictionLog


@dataclass
class AppState:
    """Settings, load, model, database, metrics and log of one application."""

    settings: ServingSettings
    load: Load
    model_loader: ModelLoader
    engine: Engine
    prediction_log: PredictionLog
    key_cache: KeyCache
    metrics: Metrics
    logger: Logger

    def update_log_metrics(self) -> None:
        """Copy the counts of the prediction log into the metrics."""
        self.metrics.set_log_counts(asdict(self.prediction_log.counts()))

    def require_model(self) -> LoadedModel:
        """The loaded model. Call it once a request, so that one version answers all of the request.

        Raises:
            ApiError: 503, no model is loaded yet.
        """
        model = self.model_loader.model
        if model is None:
            raise ApiError(503, "no_model", "no model is loaded yet", headers={"Retry-After": "1"})
        return model


def get_state(request: Request) -> AppState:
    """The state of the application that a request belongs to."""
    state: AppState = request.app.state.serving
    return state


def get_request_context(request: Request) -> RequestContext:
    """Request id, route and caller of a request, for the prediction log."""
    state = request.scope["state"]
    return RequestContext(state["request_id"], request.scope["route"].path, state["caller"].id)
