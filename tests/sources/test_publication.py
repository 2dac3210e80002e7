"""What is published is compared with what models were trained on, by the API of a stand-in for data.gouv.fr."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from accidents.configuration.source import SourceSettings
from accidents.errors import SourceError
from accidents.sources.manifest import fetch_editions, recorded_editions
from accidents.sources.publication import CHANGED, NEW, TRAINED, UNKNOWN, compare_editions, read_publication
from tests.sources.site import Site


@pytest.fixture
def published(site: Site, settings: Callable[..., SourceSettings]) -> SourceSettings:
    site.publish(2022)
    site.publish(2023)
    return settings((2022, 2023))


def test_downloaded_edition_is_the_published_one(site: Site, published: SourceSettings) -> None:
    _, fingerprint = fetch_editions(published)
    trained = recorded_editions(published.data_folder, fingerprint)
    assert trained.keys() == {"2022", "2023"}
    before = len(site.requests)
    statuses = compare_editions(read_publication(published.datagouv), {"model 1": trained})
    assert [(one.year, one.status, dict(one.models)) for one in statuses] == [
        (2022, TRAINED, {"model 1": True}),
        (2023, TRAINED, {"model 1": True}),
    ]
    assert len(site.requests) == before + 1  # nothing but the catalogue
    assert recorded_editions(published.data_folder, "of other files") == {}


def test_new_and_changed_editions(site: Site, published: SourceSettings) -> None:
    trained = {edition.year: edition.digest for edition in read_publication(published.datagouv)}
    site.publish(2024)
    site.publish(2023, rows=2001)
    for resource in site.resources[-4:]:
        resource["last_modified"] = "2026-02-01T00:00:00"
    site.describe()
    now = read_publication(published.datagouv)
    old = {str(year): str(digest) for year, digest in trained.items()}
    statuses = {one.year: one for one in compare_editions(now, {"model 1": old, "model 2": {}})}
    assert {year: one.status for year, one in statuses.items()} == {2022: TRAINED, 2023: CHANGED, 2024: NEW}
    assert dict(statuses[2023].models) == {"model 1": False}


def test_incomplete_edition_and_missing_checksums(site: Site, published: SourceSettings) -> None:
    site.publish(2025)
    site.resources.pop()
    for resource in site.resources[:4]:
        del resource["checksum"]
    site.describe()
    now = read_publication(published.datagouv)
    assert [(one.year, one.digest is None) for one in now] == [(2022, True), (2023, False)]
    assert compare_editions(now, {"model 1": {"2022": "0"}})[0].status == UNKNOWN


def test_an_answer_that_is_no_catalogue(site: Site, published: SourceSettings) -> None:
    site.resources = []
    site.describe()
    with pytest.raises(SourceError, match="not the description of a data set"):
        read_publication(published.datagouv)


def test_manifest_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"fingerprint": "x"}))
    assert recorded_editions(tmp_path, "x") == recorded_editions(tmp_path / "no", "x") == {}
