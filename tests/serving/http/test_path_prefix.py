"""Behind a proxy with a path prefix: every address works with the prefix, which the proxy may have stripped or not."""

from collections.abc import Iterator

import pytest
import requests

from tests.serving.in_process import ACCIDENT, ApiClient, in_process_service
from tests.serving.service_process import save_small_model

pytestmark = pytest.mark.slow
PREFIX = "/field/accidents"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("prefix")
    with in_process_service(folder, save_small_model(folder), root_path=PREFIX) as client:
        yield client


@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_every_address_works(prefix: str, api: ApiClient) -> None:
    for path in ("/", "/docs", "/openapi.json", "/page/main.js", "/swagger/swagger-ui.css", "/health", "/ready"):
        assert api.get(f"{prefix}{path}", None).status_code == 200, path
    assert api.get(f"{prefix}/openapi.json", None).json()["servers"] == [{"url": PREFIX}]
    response = api.post(f"{prefix}/v1/predict", ACCIDENT)
    assert 0 < response.json()["probability"] < 1
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_a_key_is_needed_with_and_without_the_prefix(prefix: str, api: ApiClient) -> None:
    assert api.post(f"{prefix}/v1/predict", ACCIDENT, None).status_code == 401
    assert api.get(f"{prefix}/metrics", None).status_code == 401
    assert api.get(f"{prefix}/v1/model", None).status_code == 401


@pytest.mark.parametrize(
    "path", ["/field", "/field/accidentsx/health", f"{PREFIX}{PREFIX}/health", f"{PREFIX}//health"]
)
def test_other_paths_are_not_there(path: str, api: ApiClient) -> None:
    assert api.get(path).status_code == 404


def test_the_prefix_alone_leads_to_the_page(api: ApiClient) -> None:
    response = requests.get(f"{api.url}{PREFIX}", allow_redirects=False, timeout=20)
    assert (response.status_code, response.headers["location"]) == (308, f"{PREFIX}/")
    assert api.get(PREFIX, None).url.endswith(f"{PREFIX}/")
