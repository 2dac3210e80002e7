"""A reverse proxy in a process of its own that strips a path prefix.

python -m tests.serving.reverse_proxy PORT PREFIX UPSTREAM
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

_PROJECT = Path(__file__).resolve().parents[2]
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "date", "server"}


@contextmanager
def reverse_proxy(upstream: str, prefix: str) -> Iterator[str]:
    """URL of `upstream` below a path prefix of another address."""
    from tests.serving.service_process import free_port

    port = free_port()
    command = [sys.executable, "-m", "tests.serving.reverse_proxy", str(port), prefix, upstream]
    process = subprocess.Popen(command, cwd=_PROJECT)
    url = f"http://127.0.0.1:{port}{prefix}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(f"{url}/health", timeout=5)
                break
            except requests.RequestException:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def main(port: int, prefix: str, upstream: str) -> None:
    """Forward every request below the prefix, without it; 404 for other paths."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
            }
            address = upstream + self.path.removeprefix(prefix)
            answer = requests.request(self.command, address, headers=headers, data=body, timeout=60)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815  # the name is http.server's

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
