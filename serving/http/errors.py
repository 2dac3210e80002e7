"""API errors: one JSON shape for every refusal."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.types import Send

from accidents.requests import FieldProblem
from accidents.requests.errors import Problems

JSON = b"application/json"


class ApiError(Exception):
    """A refused request.

    Args:
        status: HTTP status.
        code: error code for programs.
        message: one sentence for people.
        problems: the first invalid fields of the content.
        count: number of all of them; by default that of `problems`.
        headers: further headers of the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        problems: Sequence[FieldProblem] = (),
        count: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.problems = tuple(problems)
        self.count = len(self.problems) if count is None else count
        self.headers = dict(headers or {})

    def release_frames(self) -> None:
        """Forget where the error was raised: the frames refer to the content, and to the error in turn."""
        if self.__context__ is not None:
            self.__context__.__traceback__ = None
        self.__traceback__ = None

    def body(self, request_id: str) -> dict[str, Any]:
        """The body of the response."""
        return {"error": error_detail(self.code, self.message, self.problems, self.count), "request_id": request_id}


def error_detail(code: str, message: str, problems: Sequence[FieldProblem] = (), count: int = 0) -> dict[str, Any]:
    """The `error` object of a response: the problems that are described and, if there are more, the number of all."""
    described = [{"field": one.field, "value": one.value, "reason": one.reason} for one in problems]
    more: dict[str, Any] = {}
    if count > len(problems):
        more["problem_count"] = count
        listed = f"the first {len(problems)} faults are listed" if problems else "further faults are not listed"
        message = f"{message}; {count:,} in all, {listed}"
    return {"code": code, "message": message, "problems": described, **more}


async def send_error(send: Send, error: ApiError, request_id: str) -> None:
    """Send an error from middleware, where no exception handler of FastAPI applies."""
    body = orjson.dumps(error.body(request_id))
    headers = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    headers += [(b"content-type", JSON), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def validation_error(error: ValidationError, *location: str) -> ApiError:
    """A pydantic error as a 422; `location` is put before the path of each field."""
    problems = Problems()
    for one in error.errors(include_url=False, include_context=False):
        problems.add(".".join(map(str, (*location, *one["loc"]))) or "request", one["input"], one["msg"])
    return ApiError(422, "invalid", "the request is invalid; correct these fields", problems.described, problems.count)
