"""Files from data.gouv.fr: which are chosen, how they are verified, and what is kept of them."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from accidents.columns.specification import Table
from accidents.configuration.source import SourceSettings
from accidents.errors import SourceError
from accidents.sources.resolve import resolve_editions
from tests.sources.site import Site, contents

Make = Callable[..., SourceSettings]


def test_four_files_of_each_year_arrive_whole(site: Site, settings: Make) -> None:
    site.publish(2022)
    site.publish(2023)
    assert contents(site, settings((2022, 2023))) == {(year, table): True for year in (2022, 2023) for table in Table}


def test_second_run_downloads_no_file_again(site: Site, settings: Make) -> None:
    site.publish(2023)
    resolve_editions(settings())
    site.requests.clear()
    resolve_editions(settings())
    assert site.requests == ["/api/"]


def test_full_cache_works_offline(site: Site, settings: Make) -> None:
    site.publish(2023)
    first = resolve_editions(settings())
    assert resolve_editions(settings(catalogue="http://127.0.0.1:9/")) == first


def test_without_network_and_cache_the_message_has_a_remedy(settings: Make) -> None:
    with pytest.raises(SourceError, match=r"catalogue\.json.*127\.0\.0\.1:9.*refused.*--source"):
        resolve_editions(settings(catalogue="http://127.0.0.1:9/"))


def test_neighbouring_tables_and_documents_are_not_mistaken_for_the_four_files(site: Site, settings: Make) -> None:
    site.publish(2023)
    for title in (
        "vehicules-immatricules-baac-2023.csv",
        "vehicules-immatricule-baac-2023.csv",
        "description-des-bases-de-donnees-annuelles-2023.pdf",
        "usagers-2023-corrections.csv",
    ):
        site.add(title, f"/other/{title}", b"another file", last_modified="2026-01-01T00:00:00")
    assert all(contents(site, settings()).values())


@pytest.mark.parametrize(
    "title",
    [
        "carcteristiques-2023.csv",
        "caract-2023.csv",
        "Caract_2023.csv",
        "Caractéristiques_2023",
        "CARACTERISTIQUES-2023.CSV",
    ],
)
def test_published_spellings_of_titles(site: Site, settings: Make, title: str) -> None:
    site.publish(2023, titles={Table.CARACTERISTIQUES: title})
    assert all(contents(site, settings()).values())


def test_a_resource_is_matched_by_its_url_where_the_title_does_not_match(site: Site, settings: Make) -> None:
    site.publish(2023, titles={Table.USAGERS: "Les personnes en 2023"})
    assert all(contents(site, settings()).values())


def test_a_resource_is_matched_by_its_title_where_the_url_does_not_match(site: Site, settings: Make) -> None:
    site.publish(2024)
    site.add("Vehicules_2024.csv", "/20251107/2024.csv", b'"Num_Acc"\n', last_modified="2026-01-01")
    (edition,) = resolve_editions(settings((2024,)))
    assert Path(edition.files[Table.VEHICULES]).read_bytes() == b'"Num_Acc"\n'


def test_file_that_was_changed_last_counts(site: Site, settings: Make) -> None:
    site.add("lieux-2023.csv", "/files/old.csv", b"old", last_modified="2024-01-01T00:00:00")
    site.publish(2023)
    site.add("lieux-2023.csv", "/files/older.csv", b"older", last_modified="2023-01-01T00:00:00")
    assert all(contents(site, settings()).values())


def test_year_that_is_not_published_is_named_with_the_names_looked_for(site: Site, settings: Make) -> None:
    site.publish(2023)
    with pytest.raises(SourceError, match=r"2031: .*usagers \(looked for usagers-2031\.csv\).*--years"):
        resolve_editions(settings((2031,)))


def test_http_is_rejected_except_on_localhost(site: Site, settings: Make) -> None:
    site.publish(2023)
    site.add("lieux-2023.csv", "/x", b"x", url="http://example.org/lieux-2023.csv", last_modified="2026")
    with pytest.raises(SourceError, match=r"http://example\.org/lieux-2023\.csv.*not https"):
        resolve_editions(settings())


@pytest.mark.parametrize(
    "answer",
    [b"not json", b"[]", b"{}", b'{"resources": []}', b'{"resources": [{"title": "x"}]}', b'{"resources": {"url": 1}}'],
)
def test_catalogue_that_is_none_is_named(site: Site, settings: Make, answer: bytes) -> None:
    site.contents["/api/"] = answer
    with pytest.raises(SourceError, match=r"catalogue\.json: http://127.* is not the description of a data set"):
        resolve_editions(settings())
    assert not list(settings().data_folder.rglob("catalogue.json"))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_every_published_kind_of_checksum_is_verified(site: Site, settings: Make, algorithm: str) -> None:
    site.publish(2023)
    content = b"other contents\n"
    right = {"type": algorithm, "value": hashlib.new(algorithm, content).hexdigest()}
    wrong = {"type": algorithm, "value": hashlib.new(algorithm, b"").hexdigest()}
    site.add("usagers-2023.csv", "/files/new.csv", content, checksum=right, last_modified="2026-01-01")
    (edition,) = resolve_editions(settings())
    assert Path(edition.files[Table.USAGERS]).read_bytes() == content
    site.add("usagers-2023.csv", "/files/wrong.csv", content, checksum=wrong, last_modified="2026-01-02")
    with pytest.raises(SourceError, match=algorithm):
        resolve_editions(settings())


def test_damaged_copy_is_replaced(site: Site, settings: Make) -> None:
    site.publish(2023)
    (edition,) = resolve_editions(settings())
    Path(edition.files[Table.LIEUX]).write_bytes(b"damaged")
    assert all(contents(site, settings()).values())


def test_folder_that_cannot_be_written_is_named(site: Site, settings: Make) -> None:
    site.publish(2023)
    settings().data_folder.write_text("a file where the folder should be")
    with pytest.raises(SourceError, match=r"raw: files cannot be kept there.*source\.data_folder"):
        resolve_editions(settings())


def test_progress_is_drawn_on_terminals_alone(site: Site, settings: Make, capfd: pytest.CaptureFixture[str]) -> None:
    site.publish(2023)
    resolve_editions(settings(), progress=True)
    assert "".join(capfd.readouterr()) == ""
