"""The HTTP server of the application: `python -m serving.process.server`, started by the supervisor."""

import os
from typing import Any

import structlog
import uvicorn

from accidents.configuration.serving import ServingSettings
from serving.environment import SERVER, SETTINGS
from serving.http.protocol import BoundedProtocol

_LOG: dict[str, Any] = {
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

_WORKER_SECONDS = 30
"""A worker that is silent for so long is replaced: on a busy machine its start alone takes more than uvicorn's 5."""


def options(settings: ServingSettings) -> dict[str, Any]:
    """How the server is to behave, for `uvicorn.run` and `uvicorn.Config`."""
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": BoundedProtocol,
        "ws": "none",
        "log_config": _LOG,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "backlog": 2048,
        "timeout_graceful_shutdown": settings.stop_seconds,
        "timeout_worker_healthcheck": _WORKER_SECONDS,
    }


def main() -> None:
    """Serve until told to stop; requests under way are finished."""
    settings = ServingSettings.model_validate_json(os.environ[SETTINGS])
    os.environ[SERVER] = str(os.getpid())
    uvicorn.run("serving.application:from_environment", factory=True, workers=settings.workers, **options(settings))


if __name__ == "__main__":
    main()
