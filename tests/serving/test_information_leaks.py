"""Responses leak no internals, and requests are never unpickled."""

import http.client
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import requests

from serving.application import create_app
from serving.auth.roles import Role
from serving.process.supervisor import model_file_resolver
from tests.serving.in_process import NDJSON_HEADERS, ApiClient, protected_routes, run_server, settings_for
from tests.serving.service_process import PROJECT, save_small_model

pytestmark = [pytest.mark.slow, pytest.mark.traced]

INTERNALS = ("Traceback", 'File "', ".py", "site-packages", str(PROJECT), "/tmp", "sqlite", "select ", "0x7")  # noqa: S108


class _Bomb:
    """What runs a command where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def test_request_bodies_are_never_unpickled(api: ApiClient, tmp_path: Path) -> None:
    marker = tmp_path / "unpickled"
    bomb = pickle.dumps(_Bomb(marker))
    kinds = (
        "application/json",
        NDJSON_HEADERS["Content-Type"],
        "application/octet-stream",
        "application/python-pickle",
    )
    for route in protected_routes(api.app):
        for kind in kinds:
            response = api.request(route.method, route.path, Role.ADMIN, data=bomb, headers={"Content-Type": kind})
            assert response.status_code < 500
    assert not marker.exists()
    pickle.loads(bomb)  # noqa: S301  # it would have been seen
    assert marker.exists()


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/page/../authentication.py",
            "/page/..%2faccess.py",
            "/page/%2e%2e/access.py",
            "/page//etc/passwd",
            "/page/",
        ),
        *(
            "/swagger/../../fastapi/routing.py",
            "/page/..\\authentication.py",
            "/page/index.html%00.css",
            "/page/../v1/model",
        ),
        *("//v1/model", "/v1/model/", "/v1//model", "/V1/model", "/%76%31/../v1/model", "/v1/model;x=/health"),
    ],
)
def test_no_path_bypasses_authentication(api: ApiClient, path: str) -> None:
    connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status in {400, 401, 404}
    assert b"import" not in answer.read()
    connection.close()


def test_errors_leak_no_internals(tmp_path: Path) -> None:
    """A fault of the program least of all."""
    pointer = tmp_path / "model.json"
    model_file_resolver(save_small_model(tmp_path))().write(pointer)
    application = create_app(settings_for(tmp_path, anonymous=True, caller={"failures_per_minute": 1000}), pointer)

    async def fault() -> None:
        raise RuntimeError(f"secret at {tmp_path} in api_keys")

    application.get("/fault", openapi_extra={"x-role": "predict"})(fault)
    with run_server(application) as url:
        all_responses = [requests.get(f"{url}/fault", timeout=10)]
        for method in ("GET", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"):
            for path in (
                "/v1/predict",
                "/v1/evaluate",
                "/v1/feedback",
                "/v1/predict/batch",
                "/nothing",
                "/page/x",
                "/",
            ):
                for body in (b"", b"{", b"null", b'{"prediction_id": "\x00", "priority": 1}', b'{"accidents": [{}]}'):
                    kind = {"Content-Type": "application/json"}
                    all_responses.append(requests.request(method, url + path, data=body, headers=kind, timeout=10))
        wrong = {"Authorization": "Bearer x"}
        all_responses.append(requests.post(f"{url}/v1/admin/reload", headers=wrong, timeout=10))
    assert all_responses[0].status_code == 500
    assert all_responses[0].json()["error"] == {"code": "internal", "message": "internal error", "problems": []}
    assert all_responses[0].headers["x-content-type-options"] == "nosniff"
    for answer in all_responses:
        if answer.status_code >= 400:
            assert not [word for word in INTERNALS if word in answer.text], answer.text
            assert answer.json().keys() == {"error", "request_id"}
