"""Raw HTTP over a socket, for requests that no client library would send."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from serving.auth.roles import Role
from tests.serving.in_process import ApiClient


@contextmanager
def open_connection(api: ApiClient) -> Iterator[socket.socket]:
    host, _, port = api.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def request_head(api: ApiClient, *headers: str, path: str = "/v1/predict") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"X-API-Key: {api.keys[Role.PREDICT]}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def read_until_closed(connection: socket.socket) -> tuple[int, dict[str, Any], bytes]:
    """Status, JSON content and lower-case head of a response; the server has to close the connection.

    The connection is reset where the server closes it before it has read everything.
    """
    text = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            text += piece
    head, _, body = text.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body), head.lower()


def read_status(connection: socket.socket) -> int:
    """Status of the next response, which is read to its end."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status
