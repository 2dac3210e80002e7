"""Dependencies of the routes: the state of the application and the context of a request."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine

from accidents.configuration.serving import ServingSettings
from serving.auth.key_cache import KeyCache
from serving.http.errors import ApiError, validation_error
from serving.http.load import Load
from serving.model.model_loader import LoadedModel, ModelLoader
from serving.model.predictor import RequestContext
from serving.model.shadow import Shadow
from serving.observability.metrics import Metrics
from serving.observability.resources import ResourceMetrics
from serving.observability.telemetry import Logger
from serving.observability.tracing import Tracing
from serving.records.database import SQLITE
from serving.records.prediction_log import PredictionLog
from serving.records.prediction_record import created_at
from serving.schemas.requests import DeriveQuery

if TYPE_CHECKING:
    from serving.lookups.services import Services

_Result = TypeVar("_Result")
_Query = TypeVar("_Query", bound=BaseModel)

_DATABASE_THREADS = 4
_PUBLISH_SECONDS = 2
"""Time within which a worker publishes since when predictions wait in its log, besides the time between two writes."""

_ID_MARGIN = 5
"""Seconds by which predictions of one log may be out of order."""


@dataclass
class AppState:
    """Settings, load, model, database, metrics and log of one application.

    Requests use the database through `run_in_database_thread` alone. The thread pool of FastAPI is for models and
    files: a request that needs no database never waits for one.
    """

    settings: ServingSettings
    load: Load
    model_loader: ModelLoader
    engine: Engine
    prediction_log: PredictionLog
    key_cache: KeyCache
    metrics: Metrics
    resources: ResourceMetrics
    logger: Logger
    tracing: Tracing | None
    services: "Services | None" = None
    shadow: Shadow | None = None
    _database_threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_DATABASE_THREADS, thread_name_prefix="database")
    )

    async def run_in_database_thread(self, work: Callable[[], _Result]) -> _Result:
        """Call a function that uses the database in one of a few threads that do nothing else."""
        return await asyncio.get_running_loop().run_in_executor(self._database_threads, work)

    def close(self) -> None:
        """Stop what uses the database, after the prediction log was closed."""
        if self.services:
            self.services.close()
        self._database_threads.shutdown(wait=False, cancel_futures=True)
        self.key_cache.close()
        self.engine.dispose()

    @property
    def database_available(self) -> bool:
        """Whether the database answered when keys were last read and predictions last written."""
        return self.key_cache.available and self.prediction_log.available

    def update_metrics(self) -> None:
        """Copy the state of the prediction log, of the database and of this process into the metrics."""
        self.resources.update()
        self.metrics.set_log_counts(asdict(self.prediction_log.counts()))
        self.metrics.set_database(self.prediction_log.oldest_waiting(), available=self.database_available)

    def may_be_waiting(self, prediction_id: str) -> bool:
        """Whether a prediction that is not in the database may still wait in the log of this or another worker."""
        created = created_at(prediction_id)
        if created is None or created > time.time() + _ID_MARGIN:
            return False
        if self.prediction_log.oldest_waiting() <= created + _ID_MARGIN:
            return True
        if self.settings.workers == 1 and self.engine.dialect.name == SQLITE:
            return False
        unpublished = time.time() - created < 2 * self.settings.records.flush_seconds + _PUBLISH_SECONDS
        return unpublished or self.metrics.oldest_waiting() <= created + _ID_MARGIN

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
    """Request id, route and caller of a request, for the prediction log, and the shadow model."""
    state = request.scope["state"]
    shadow = get_state(request).shadow
    return RequestContext(state["request_id"], request.scope["route"].path, state["caller"].id, shadow)


def parse_query(request: Request, model: type[_Query]) -> _Query:
    """The query parameters of a request.

    Raises:
        ApiError: 422, one has a value that is not allowed.
    """
    try:
        return model.model_validate(dict(request.query_params) if request.scope["query_string"] else {})
    except ValidationError as error:
        raise validation_error(error, "query") from None


def derives(state: AppState, query: DeriveQuery) -> bool:
    """Whether facts of the accidents of a request are derived: configured, and not switched off by the request."""
    return state.settings.derive_facts and query.derive
