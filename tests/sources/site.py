"""A local stand-in for data.gouv.fr: an API answer and files, served well or as badly as a test wants."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from accidents.columns.specification import Table
from accidents.configuration.source import SourceSettings
from accidents.sources.resolve import resolve_editions

Behaviour = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with the content at a path, through the behaviour that is next for it."""

    server: "Site"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        pending = self.server.behaviours.get(self.path, [])
        # The last behaviour stays, the others serve one request each.
        behaviour = pending[0] if len(pending) == 1 else pending.pop(0) if pending else serve
        behaviour(self, self.server.contents.get(self.path, b""))

    def begin(self, status: int = 200, length: int | None = None, **headers: str) -> None:
        """Send the head; the connection is closed after the body, so that a short body ends."""
        self.send_response(status)
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Keep the test's output quiet."""


def serve(handler: Handler, content: bytes) -> None:
    handler.begin(200 if content else 404, len(content), Content_Type="text/csv")
    handler.wfile.write(content)


class Site(ThreadingHTTPServer):
    """Serves one data set; `behaviours` says, by path, how the next requests are answered."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents: dict[str, bytes] = {}
        self.behaviours: dict[str, list[Behaviour]] = {}
        self.requests: list[str] = []
        self.resources: list[dict[str, Any]] = []

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def publish(self, year: int, *, titles: dict[Table, str] | None = None, rows: int = 2000) -> None:
        """Publish the four files of a year, under their plain titles unless others are given."""
        for table in Table:
            title = (titles or {}).get(table, f"{table}-{year}.csv")
            content = f'"Num_Acc";"{table}"\n'.encode() + b"".join(b'"%d%08d";"1"\n' % (year, i) for i in range(rows))
            self.add(title, f"/files/{table}-{year}.csv", content)

    def add(self, title: str, path: str, content: bytes, **fields: Any) -> None:
        """Publish one file; `fields` replace what the catalogue says of it."""
        self.contents[path] = content
        checksum = {"type": "sha1", "value": hashlib.sha1(content, usedforsecurity=False).hexdigest()}
        described = {"title": title, "url": self.root + path, "filesize": len(content), "checksum": checksum}
        self.resources.append({"format": "csv", "last_modified": "2025-10-21T12:00:00", **described, **fields})
        self.describe()

    def describe(self) -> None:
        """Let the API answer with the resources as they are now."""
        self.contents["/api/"] = json.dumps({"title": "BAAC", "resources": self.resources}).encode()


@contextmanager
def running_site() -> Iterator[Site]:
    site = Site()
    # Kills leave connections that break in the middle of an answer; that is no news.
    site.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.shutdown()
        site.server_close()
        thread.join()


def contents(site: Site, settings: SourceSettings) -> dict[tuple[int | None, Table], bool]:
    """Resolve, and say of each file whether it holds what the site publishes."""
    return {
        (edition.year, table): Path(file).read_bytes() == site.contents[f"/files/{table}-{edition.year}.csv"]
        for edition in resolve_editions(settings)
        for table, file in edition.files.items()
    }
