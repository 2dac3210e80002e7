"""Requests byte by byte, for what no library would send."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from serving.auth.roles import Role
from tests.serving.inside import Api


@contextmanager
def connection(api: Api) -> Iterator[socket.socket]:
    host, _, port = api.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as found:
        yield found


def head(api: Api, *lines: str, path: str = "/v1/predict") -> bytes:
    given = [f"POST {path} HTTP/1.1", "Host: localhost", f"X-API-Key: {api.keys[Role.PREDICT]}", *lines]
    return "\r\n".join([*given, "", ""]).encode()


def answered(found: socket.socket) -> tuple[int, dict[str, Any], bytes]:
    """Status and content of an answer, and what its head says; the connection has to end.

    It ends with a reset where the service closes it before it has read all that was sent.
    """
    text = b""
    with suppress(ConnectionResetError):
        while piece := found.recv(65536):
            text += piece
    top, _, body = text.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(body), top.lower()


def one_answer(found: socket.socket) -> int:
    """The status of the next answer on a connection, which is read whole."""
    answer = http.client.HTTPResponse(found)
    answer.begin()
    answer.read()
    return answer.status
