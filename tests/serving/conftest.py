"""Services that the tests of a file share."""

import os
from collections.abc import Iterator

import pytest

from serving.environment import DATABASE
from tests.serving.inside import Api, inside
from tests.serving.world import saved_model


@pytest.fixture(autouse=True, scope="session")
def nothing_in_the_environment() -> Iterator[None]:
    """These tests say themselves which database they mean, and whether workers share metrics."""
    with pytest.MonkeyPatch.context() as changed:
        for name in (DATABASE, "PROMETHEUS_MULTIPROC_DIR", *(name for name in os.environ if "PROXY" in name.upper())):
            changed.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A service with its usual settings."""
    folder = tmp_path_factory.mktemp("serving")
    with inside(folder, saved_model(folder)) as found:
        yield found
