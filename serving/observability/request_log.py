"""The service's own log: one line of JSON a request or event, on standard error."""

import logging
import sys
import traceback
from typing import Any

import orjson
import structlog
from starlette.types import Scope

_FRAMES = 8


class Logger:
    """Writes lines of JSON with time, level, event, and the id of the request where there is one."""

    def __init__(self) -> None:
        self._log = structlog.wrap_logger(
            structlog.BytesLogger(sys.stderr.buffer),
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.JSONRenderer(serializer=lambda content, **_: orjson.dumps(content, default=str)),
            ],
        ).bind()

    def request(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        """One request, when it is over. The address that was typed is left out: it may hold personal data."""
        state = scope["state"]
        caller = state.get("caller")
        self._log.info(
            "request",
            request_id=state["request_id"],
            method=scope["method"],
            route=route,
            status=status,
            ms=round(1000 * seconds, 3),
            caller=caller.id if caller else None,
            client=scope["client"][0] if scope.get("client") else None,
        )

    def failed(self, request_id: str, error: Exception) -> None:
        """A fault of the program: its kind and where it happened, without its message, which may hold what was sent."""
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        self._log.error("fault", request_id=request_id, error=type(error).__name__, where=where)

    def event(self, event: str, **facts: Any) -> None:
        """Something that is no request, such as a new model."""
        self._log.info(event, **facts)

    def warning(self, event: str, **facts: Any) -> None:
        """Something that somebody should look at."""
        self._log.warning(event, **facts)
