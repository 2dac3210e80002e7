"""A geocoder and a weather service on this machine, which answer and refuse as their documentation says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Parameters = dict[str, str]
Answer = Callable[["Handler"], None]

PLACES = {
    "type": "FeatureCollection",
    "version": "draft",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [2.290084, 49.897443]},
            "properties": {
                "label": "8 Boulevard du Port 80000 Amiens",
                "score": 0.49159121588068583,
                "housenumber": "8",
                "id": "80021_6590_00008",
                "type": "housenumber",
                "name": "8 Boulevard du Port",
                "postcode": "80000",
                "citycode": "80021",
                "x": 648952.58,
                "y": 6977867.25,
                "city": "Amiens",
                "context": "80, Somme, Hauts-de-France",
                "importance": 0.6706612694243868,
                "street": "Boulevard du Port",
            },
        }
    ],
    "attribution": "BAN",
    "licence": "ODbL 1.0",
    "query": "8 bd du port",
    "limit": 1,
}
"""The example in the documentation of the French address API."""

WEATHER_PARAMETERS = {"latitude", "longitude", "hourly", "start_date", "end_date", "timezone"}


class Handler(BaseHTTPRequestHandler):
    """Answers `/search/` and `/forecast`; where the server has `answer`, in its way instead."""

    server: "Services"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.server.requests.append((url.path, parameters, dict(self.headers)))
        if self.server.answer:
            self.server.answer(self)
        elif url.path == "/search/":
            self.search(parameters)
        elif url.path in {"/forecast", "/archive"}:
            self.weather(parameters)
        else:
            self.send_json(404, {"error": True})

    def search(self, parameters: Parameters) -> None:
        """As addok: `q` of 3 to 200 characters that begins with a letter or number, `limit`, `citycode`."""
        query = parameters.get("q", "")
        if not 3 <= len(query) <= 200 or not query[0].isalnum() or not parameters.keys() <= {"q", "limit", "citycode"}:
            self.send_json(400, {"code": 400, "message": "q: must contain between 3 and 200 chars"})
            return
        found = [
            one for one in self.server.places if parameters.get("citycode") in {None, one["properties"]["citycode"]}
        ]
        self.send_json(200, PLACES | {"features": found[: int(parameters.get("limit", 5))]})

    def weather(self, parameters: Parameters) -> None:
        """As Open-Meteo: hourly arrays of the days in the time zone, by the names of the variables."""
        start, end = parameters.get("start_date"), parameters.get("end_date")
        hourly = parameters.get("hourly", "").split(",")
        known = {"weather_code", "wind_speed_10m"}
        if parameters.keys() != WEATHER_PARAMETERS or not known >= {*hourly} or start != end or not start:
            self.send_json(400, {"error": True, "reason": "Data corrupted at path ''."})
            return
        assert date.fromisoformat(start)
        assert parameters["timezone"] == "GMT"
        assert -90 <= float(parameters["latitude"]) <= 90
        values = {"weather_code": self.server.weather_codes, "wind_speed_10m": self.server.winds}
        times = {"time": [f"{start}T{hour:02d}:00" for hour in range(24)]}
        content = {"latitude": 50.62, "longitude": 3.06, "utc_offset_seconds": 0, "timezone": "GMT"}
        self.send_json(200, content | {"hourly": times | {name: values[name] for name in hourly}})

    def send_json(self, status: int, content: Any, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Keep the test's output quiet."""


class Services(ThreadingHTTPServer):
    """Both services: what they know, and the requests that they got: path, parameters, headers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reset()

    def reset(self) -> None:
        self.places: list[Any] = PLACES["features"]  # type: ignore[assignment]
        self.weather_codes: list[int | None] = [0] * 24
        self.winds: list[float | None] = [10.0] * 24
        self.requests: list[tuple[str, Parameters, dict[str, str]]] = []
        self.answer: Answer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Settings of lookups that ask these services."""
        addresses = {"geocoder": "/search/", "weather": "/forecast", "weather_archive": "/archive"}
        return {name: f"{self.url}{path}" for name, path in addresses.items()} | {"pause_seconds": 0} | changes


@contextmanager
def running_services() -> Iterator[Services]:
    services = Services()
    thread = threading.Thread(target=services.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield services
    finally:
        services.shutdown()
        services.server_close()
        thread.join(5)
