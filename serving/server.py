"""The HTTP server of the application: `python -m serving.server`, which the launcher starts and tells everything."""

import os
from typing import Any

import structlog
import uvicorn

from accidents.configuration.serving import ServingSettings
from serving.application import SETTINGS

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


def main() -> None:
    """Serve until told to stop; requests under way are finished."""
    settings = ServingSettings.model_validate_json(os.environ[SETTINGS])
    uvicorn.run(
        "serving.application:from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=_LOG,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_graceful_shutdown=settings.stop_seconds,
    )


if __name__ == "__main__":
    main()
