"""The uvicorn server of the application: `python -m serving.process.server`, started by the supervisor."""

import os
import sys
from typing import Any

import structlog
import uvicorn

from accidents.configuration.serving import ServingSettings
from accidents.errors import AccidentsError
from serving.environment import SERVER_PID_ENV, SETTINGS_ENV
from serving.http.protocol import HeadLimitProtocol

_LOG_CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": [
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            ],
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}

_WORKER_TIMEOUT = 30
"""Seconds without a heartbeat after which a worker is replaced; its start alone may exceed uvicorn's default of 5."""


def uvicorn_options(settings: ServingSettings) -> dict[str, Any]:
    """Keyword arguments of `uvicorn.run` and `uvicorn.Config`."""
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "serving.process.shared_accept:BalancedLoop" if settings.workers > 1 else "uvloop",
        "http": HeadLimitProtocol,
        "ws": "none",
        "log_config": _LOG_CONFIG,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "backlog": 2048,
        "timeout_graceful_shutdown": settings.stop_seconds,
        "timeout_worker_healthcheck": _WORKER_TIMEOUT,
    }


def main() -> None:
    """Run the server until it is stopped; running requests are finished."""
    settings = ServingSettings.model_validate_json(os.environ[SETTINGS_ENV])
    os.environ[SERVER_PID_ENV] = str(os.getpid())
    app = "serving.application:create_app_from_environment"
    try:
        uvicorn.run(app, factory=True, workers=settings.workers, **uvicorn_options(settings))
    except AccidentsError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
