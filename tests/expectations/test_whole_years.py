"""Which sources are held to hold complete years."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accidents.columns import Table
from accidents.configuration.expectations import ExpectationSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.source import DatagouvSettings, SourceSettings
from accidents.errors import DataError
from accidents.sample.writer import write_sample
from accidents.sources.edition import fingerprint
from accidents.sources.folder import folder_editions
from accidents.sources.resolve import resolve_editions
from tests.sources.site import Site, running_site


@pytest.mark.parametrize(("location", "whole"), [("datagouv", True), ("some/folder", False), ("sample", False)])
def test_what_is_whole_unless_it_is_declared(location: str, whole: bool) -> None:
    source = SourceSettings(location=location, years=(2023,))
    assert IngestionSettings(source=source).effective_expectations.whole_years is whole
    for declared in (True, False):
        expectations = ExpectationSettings(whole_years=declared)
        assert (
            IngestionSettings(source=source, expectations=expectations).effective_expectations.whole_years is declared
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site that publishes 1,500 accidents as the year 2023."""
    write_sample(tmp_path / "published", accidents=1500, year=2023, seed=0)
    (edition,) = folder_editions(str(tmp_path / "published"), [2023])
    with running_site() as site:
        for table in Table:
            site.add(f"{table}-2023.csv", f"/{table}.csv", Path(edition.files[table]).read_bytes())
        yield site


@pytest.mark.slow
def test_a_part_of_a_year_stops_from_datagouv_and_is_reported_from_a_folder(site: Site, tmp_path: Path) -> None:
    from steps.ingestion.ingest import ingest

    datagouv = DatagouvSettings(catalogue=f"{site.root}/api/", mirrors={})
    downloaded = SourceSettings(location="datagouv", years=(2023,), data_folder=tmp_path / "raw", datagouv=datagouv)
    known = fingerprint(resolve_editions(downloaded))
    with pytest.raises(DataError, match=r"not plausible:\n.*1,500, expected 54,274 to 55,370") as caught:
        ingest.entrypoint(IngestionSettings(source=downloaded), known)
    assert caught.value.report is not None
    assert caught.value.report["action"].tolist()[0] == "stopped"
    folder = SourceSettings(location=str(tmp_path / "published"))
    report = ingest.entrypoint(IngestionSettings(source=folder), fingerprint(resolve_editions(folder)))[3]
    (told,) = report.loc[report["file"] == "edition 2023", "check"]
    assert "a part of the year: 2.7% of the 54,822 published accidents" in told
