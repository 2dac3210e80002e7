"""API errors: one JSON shape for every refusal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.types import Send

from accidents.requests import FieldProblem
from accidents.requests.errors import format_value, truncate

JSON = b"application/json"

_MAX_PROBLEMS = 50


class ApiError(Exception):
    """A refused request.

    Args:
        status: HTTP status.
        code: error code for programs.
        message: one sentence for people.
        problems: every invalid field of the content.
        headers: further headers of the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        problems: Iterable[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.problems = tuple(problems)
        self.headers = dict(headers or {})

    def body(self, request_id: str) -> dict[str, Any]:
        """The body of the response."""
        return {"error": error_detail(self.code, self.message, self.problems), "request_id": request_id}


def error_detail(code: str, message: str, problems: Sequence[FieldProblem]) -> dict[str, Any]:
    """The `error` object of a response, with the first 50 problems."""
    first = [{"field": one.field, "value": one.value, "reason": one.reason} for one in problems[:_MAX_PROBLEMS]]
    if len(problems) > _MAX_PROBLEMS:
        message = f"{message}; the first {_MAX_PROBLEMS} faults are listed"
    return {"code": code, "message": message, "problems": first}


async def send_error(send: Send, error: ApiError, request_id: str) -> None:
    """Send an error from middleware, where no exception handler of FastAPI applies."""
    body = orjson.dumps(error.body(request_id))
    headers = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    headers += [(b"content-type", JSON), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def validation_error(error: ValidationError, *location: str) -> ApiError:
    """A pydantic error as a 422; `location` is put before the path of each field."""
    problems = [
        FieldProblem(
            truncate(".".join(map(str, (*location, *one["loc"]))) or "request"), format_value(one["input"]), one["msg"]
        )
        for one in error.errors()
    ]
    return ApiError(422, "invalid", "the request is invalid; correct these fields", problems)
