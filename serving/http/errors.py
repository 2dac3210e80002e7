"""What a caller is told where a request cannot be answered: one shape for all of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.types import Send

from accidents.requests import FieldProblem
from accidents.requests.errors import format_value, truncate

JSON = b"application/json"

_LISTED = 50


class ServingError(Exception):
    """A request is refused: status, a code for programs, a sentence for people, and every fault of its content."""

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

    def content(self, request_id: str) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": told(self.code, self.message, self.problems), "request_id": request_id}


def told(code: str, message: str, problems: Sequence[FieldProblem]) -> dict[str, Any]:
    """A fault as it stands in an answer, with its first problems."""
    listed = [{"field": one.field, "value": one.value, "reason": one.reason} for one in problems[:_LISTED]]
    if len(problems) > _LISTED:
        message = f"{message}; the first {_LISTED} faults are listed"
    return {"code": code, "message": message, "problems": listed}


async def send_error(send: Send, error: ServingError, request_id: str) -> None:
    """Answer with an error, below all frameworks."""
    body = orjson.dumps(error.content(request_id))
    headers = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    headers += [(b"content-type", JSON), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def invalid(fields: ValidationError, *where: str) -> ServingError:
    """Values that a model of pydantic refuses: which field of what, what stands there, and what is allowed."""
    problems = [
        FieldProblem(
            truncate(".".join(map(str, (*where, *one["loc"]))) or "request"), format_value(one["input"]), one["msg"]
        )
        for one in fields.errors()
    ]
    return ServingError(422, "invalid", "the request cannot be used; correct these fields", problems)
