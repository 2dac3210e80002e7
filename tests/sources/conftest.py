"""A running site, and settings that download from it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accidents.configuration.source import DatagouvSettings, SourceSettings
from tests.sources.site import Site, running_site


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def settings(site: Site, tmp_path: Path) -> Callable[..., SourceSettings]:
    """Make settings that download from the site; arguments go into the `datagouv` section."""

    def make(years: tuple[int, ...] = (2023,), **changes: Any) -> SourceSettings:
        fast = {"mirrors": {}, "timeout_seconds": 0.3, "deadline_seconds": 5, "attempts": 3, "pause_seconds": 0.01}
        datagouv = DatagouvSettings(**{"catalogue": f"{site.root}/api/", **fast, **changes})
        return SourceSettings(location="datagouv", years=years, data_folder=tmp_path / "raw", datagouv=datagouv)

    return make
