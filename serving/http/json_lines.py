"""JSON lines: a body of any length that is first stored, then answered piece by piece in constant memory.

It is stored first because many clients send all of a body before they read any of the answer.
"""

import tempfile
from collections.abc import AsyncIterator
from typing import IO, Any

import orjson
from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from serving.dependencies import World
from serving.http.errors import told
from serving.model import predictor
from serving.model.model_loader import Served
from serving.model.predictor import Asked

_IN_MEMORY = 4_000_000
_AT_A_TIME = 4_000_000
"""Bytes of lines that are answered together, unless one line alone is longer."""


async def spooled(request: Request) -> IO[bytes]:
    """The body in a file that is gone when it is closed."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by who reads it
    try:
        async for piece in request.stream():
            await run_in_threadpool(file.write, piece)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def answered_lines(world: World, served: Served, asked: Asked, file: IO[bytes]) -> AsyncIterator[bytes]:
    """Answers, one a line of the file; all of them from one model."""
    longest = int(world.settings.request.body_megabytes * 1_000_000)
    with file:
        while True:
            answer = await run_in_threadpool(_piece, world, served, asked, file, longest)
            if not answer:
                return
            yield answer


def _piece(world: World, served: Served, asked: Asked, file: IO[bytes], longest: int) -> bytes:
    """The answers to the next lines of the file; nothing at its end."""
    contents: list[Any] = []
    failed: dict[int, str] = {}
    taken = 0
    while len(contents) < world.settings.request.batch and taken < _AT_A_TIME and (line := file.readline(longest + 1)):
        if not line.strip():  # no accident, however many of them there are
            continue
        taken += len(line)
        if len(line) > longest:
            failed[len(contents)] = f"a line is longer than {longest:,} bytes"
            while line and not line.endswith(b"\n"):
                line = file.readline(longest)
            contents.append(None)
        else:
            try:
                contents.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                failed[len(contents)] = f"the line is no JSON: {str(error)[:200]}"
                contents.append(None)
    if not contents:
        return b""
    answers, entries = predictor.predict_many(served, contents, asked, world.metrics)
    world.log.add(entries, taken * len(entries) // len(contents))
    for place, message in failed.items():
        answers[place] = {"error": told("no_json", message, ())}
    return b"".join(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE) for answer in answers)
