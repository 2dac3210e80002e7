"""API keys, roles, anonymous access, bind address and Host header on every route."""

import http.client
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from fastapi import APIRouter

from accidents.errors import ConfigurationError
from cli.main import main
from serving.application import create_app
from serving.auth import api_keys
from serving.auth.authorization import ProtectedRoute, unprotected_routes
from serving.auth.roles import Role
from serving.process.bind_check import check_bind_address
from serving.process.supervisor import model_file_resolver
from tests.serving.in_process import ACCIDENT, ApiClient, in_process_service, protected_routes, run_server, settings_for
from tests.serving.service_process import save_small_model

PATIENT = {"failures_per_minute": 100_000, "requests_per_second": 100_000}
FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("security")
    with in_process_service(folder, save_small_model(folder), caller=PATIENT) as response:
        yield response


@pytest.fixture(scope="module")
def anonymous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("anonymous")
    with in_process_service(
        folder, save_small_model(folder), caller=PATIENT, anonymous=True, hosts=["accidents.example"]
    ) as response:
        yield response


def header(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def bad_headers(api: ApiClient) -> dict[str, dict[str, str]]:
    """Headers that let nobody in, by why they do not."""
    engine = api.state.engine
    good = api.keys[Role.ADMIN]
    revoked = api_keys.create_key(engine, "revoked", Role.ADMIN)
    api_keys.revoke_key(engine, revoked.id)
    expired = api_keys.create_key(engine, "expired", Role.ADMIN, datetime.now(UTC) + timedelta(seconds=0.05))
    time.sleep(0.1)
    api.state.key_cache.refresh()
    last = good[-1]
    return {
        "none": {},
        "no bearer": {"Authorization": good},
        "basic": {"Authorization": f"Basic {good}"},
        "token": {"Authorization": f"Token {good}"},
        "empty": {"Authorization": "Bearer "},
        "empty key": {"X-API-Key": ""},
        "cut": header(good[:-1]),
        "longer": header(good + last),
        "one character": header(good[:-1] + ("A" if last != "A" else "E")),
        "capitals": header(good.upper()),
        "other id": header(f"acc_00000000{good[12:]}"),
        "in the middle": header(f"{good[:20]} {good[20:]}"),
        "long": header("acc_" + "0" * 5000),
        "strange": {"X-API-Key": "acc_\u00e9\u00ff' OR 1=1 --"},
        "wrong key": {"X-API-Key": f"acc_{'0' * 8}_{'A' * 43}"},
        "revoked": header(revoked.text),
        "expired": header(expired.text),
        "revoked key": {"X-API-Key": revoked.text},
        "expired key": {"X-API-Key": expired.text},
    }


def test_every_route_requires_a_valid_key(api: ApiClient) -> None:
    routes = protected_routes(api.app)
    assert len(routes) >= 9
    for why, headers in bad_headers(api).items():
        for route in routes:
            response = api.request(route.method, route.path, None, headers=headers, json=ACCIDENT)
            assert response.status_code == 401, (why, route)
            assert response.headers["www-authenticate"] == "Bearer"
            if route.method != "HEAD":
                code = response.json()["error"]["code"]
                assert code == f"key_{why.split()[0] if why.split()[0] in ('revoked', 'expired') else code[4:]}"
                assert code != "key_missing" or why in {"none", "no bearer", "basic", "token", "empty", "empty key"}


def test_key_is_accepted_in_either_header(api: ApiClient) -> None:
    key = api.keys[Role.PREDICT]
    for headers in (header(key), {"Authorization": f"bearer {key}"}, {"x-api-key": key}, {"X-API-Key": f"{key} "}):
        assert api.get("/v1/model", None, headers=headers).status_code == 200


def test_lower_role_is_refused_on_every_route(api: ApiClient) -> None:
    refused = 0
    for route in protected_routes(api.app):
        for role in Role:
            response = api.request(route.method, route.path, role, json={})
            if role.includes(route.role):
                assert response.status_code not in {401, 403}, (role, route)
            else:
                assert response.status_code == 403, (role, route)
                refused += 1
    assert refused >= 3


def test_route_without_role_requires_admin_or_prevents_the_start(tmp_path: Path) -> None:
    pointer = tmp_path / "model.json"
    model_file_resolver(save_small_model(tmp_path))().write(pointer)
    application = create_app(settings_for(tmp_path), pointer)
    router = APIRouter(route_class=ProtectedRoute)
    router.get("/new")(lambda: "secret")
    application.include_router(router)
    application.post("/other")(lambda: "secret")
    roles = {route.path: route.role for route in protected_routes(application)}
    assert roles["/new"] == roles["/other"] == Role.ADMIN
    made = {role: api_keys.create_key(application.state.serving.engine, role, role).text for role in Role}
    application.state.serving.key_cache.refresh()
    with run_server(application) as url:
        for role, key in made.items():
            for method, path in (("GET", "/new"), ("POST", "/other")):
                response = requests.request(method, url + path, headers=header(key), timeout=10)
                assert response.status_code == (200 if role is Role.ADMIN else 403)
    forgotten = APIRouter()
    forgotten.get("/forgotten")(lambda: "secret")
    application.include_router(forgotten)
    application.mount("/files", application)
    assert unprotected_routes(application) == ["/forgotten", "/files"]
    with pytest.raises(AssertionError, match="exited"), run_server(application):
        pass


def test_anonymous_access_excludes_admin_routes(anonymous: ApiClient) -> None:
    for route in protected_routes(anonymous.app):
        response = anonymous.request(route.method, route.path, None, json={})
        assert (response.status_code == 403) == (route.role is Role.ADMIN), route
    assert anonymous.get("/v1/model", None, headers=header("acc_wrong")).status_code == 401


def test_metrics_can_be_public(tmp_path: Path) -> None:
    with in_process_service(tmp_path, save_small_model(tmp_path), open_metrics=True) as api:
        assert api.get("/metrics", None).status_code == 200
        assert api.get("/metrics", None, headers=header("acc_wrong")).status_code == 401
        for path in ("/v1/model", "/metrics/", "//metrics"):
            assert api.get(path, None).status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", "0177.0.0.1"])  # noqa: S104
def test_public_bind_address_requires_keys(host: str, tmp_path: Path) -> None:
    for settings in (settings_for(tmp_path, host=host), settings_for(tmp_path, host=host, anonymous=True)):
        with pytest.raises(ConfigurationError, match="reached by other machines"):
            check_bind_address(settings)
    check_bind_address(settings_for(tmp_path, host="127.0.0.1"))


def test_anonymous_public_bind_address_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(save_small_model(tmp_path))
    configured = tmp_path / "serving.yaml"
    configured.write_text(f"pipeline: serving\nrecords:\n  database_url: sqlite:///{tmp_path}/none.db\n")
    typed = ["--serve", "--model-path", model, "--config", str(configured), "--host", "0.0.0.0"]  # noqa: S104
    for more, message in (([], "keys create"), (["--anonymous"], "on this machine only")):
        assert main([*typed, *more]) == 2
        assert message in capsys.readouterr().err


def test_unknown_hosts_are_refused_against_dns_rebinding(anonymous: ApiClient) -> None:
    port = anonymous.url.rpartition(":")[2]
    for name in ("localhost", f"localhost:{port}", "127.0.0.1", "[::1]:1", "LOCALHOST", "accidents.example:443"):
        assert anonymous.get("/v1/model", None, headers={"Host": name}).status_code == 200, name
    strange = (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1.evil.example",
        "localhost.",
        "",
        "[",
        "::1",
        "a@localhost",
    )
    for name in strange:
        response = anonymous.get("/v1/model", None, headers={"Host": name})
        assert (response.status_code, response.json()["error"]["code"]) == (400, "host"), name
    for lines in ([], ["localhost", "localhost"], ["localhost", "evil.example"]):
        connection = http.client.HTTPConnection(anonymous.url.removeprefix("http://"), timeout=10)
        connection.putrequest("GET", "/health", skip_host=True)
        for name in lines:
            connection.putheader("Host", name)
        connection.endheaders()
        assert connection.getresponse().status == 400, lines
        connection.close()


def test_cross_site_form_is_refused(anonymous: ApiClient) -> None:
    """Browsers send these types to anybody without asking; they ask before they send JSON, and are not let."""
    posted = [route for route in protected_routes(anonymous.app) if route.method == "POST"]
    for route in posted:
        for kind in FORMS:
            headers = {"Content-Type": kind, "Origin": "https://evil.example"}
            response = anonymous.request("POST", route.path, None, data=b'{"accident": 1}', headers=headers)
            assert response.status_code == (403 if route.role is Role.ADMIN else 415), (route, kind)
    for route in protected_routes(anonymous.app):
        headers = {
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": route.method,
            "Access-Control-Request-Headers": "content-type",
        }
        for method in ("OPTIONS", route.method):
            response = anonymous.request(method, route.path, None, headers=headers, json=ACCIDENT)
            assert not any(name.lower().startswith("access-control") for name in response.headers), route
            assert method != "OPTIONS" or response.status_code == 405
