"""Files from data.gouv.fr: which are chosen, and what happens when a server misbehaves."""

import hashlib
import json
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from accidents.columns.specification import Table
from accidents.configuration.source import SourceSettings
from accidents.errors import SourceError
from accidents.sources.resolution import resolve
from tests.sources.site import Behaviour, Handler, Site, serve

Make = Callable[..., SourceSettings]
LIEUX = "/files/lieux-2023.csv"


def contents(site: Site, settings: SourceSettings) -> dict[tuple[int | None, Table], bool]:
    """Resolve, and say of each file whether it holds what the site publishes."""
    return {
        (edition.year, table): Path(file).read_bytes() == site.contents[f"/files/{table}-{edition.year}.csv"]
        for edition in resolve(settings)
        for table, file in edition.files.items()
    }


def assert_nothing_partial(site: Site, settings: SourceSettings) -> None:
    """Every file that bears a file's name is exactly what was published under it."""
    whole = {hashlib.sha1(content, usedforsecurity=False).hexdigest() for content in site.contents.values()}
    for path in settings.data_folder.rglob("*.csv"):
        assert hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest() in whole
    for path in settings.data_folder.rglob("catalogue.json"):
        json.loads(path.read_bytes())


def test_four_files_of_each_year_arrive_whole(site: Site, settings: Make) -> None:
    site.publish(2022)
    site.publish(2023)
    assert contents(site, settings((2022, 2023))) == {(year, table): True for year in (2022, 2023) for table in Table}


def test_second_run_downloads_no_file_again(site: Site, settings: Make) -> None:
    site.publish(2023)
    resolve(settings())
    site.requests.clear()
    resolve(settings())
    assert site.requests == ["/api/"]


def test_full_cache_works_offline(site: Site, settings: Make) -> None:
    site.publish(2023)
    first = resolve(settings())
    assert resolve(settings(catalogue="http://127.0.0.1:9/")) == first


def test_without_network_and_without_cache_the_message_says_what_to_do(settings: Make) -> None:
    with pytest.raises(SourceError, match=r"catalogue\.json.*127\.0\.0\.1:9.*refused.*--source"):
        resolve(settings(catalogue="http://127.0.0.1:9/"))


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


def test_file_name_in_the_address_counts_where_the_title_says_nothing(site: Site, settings: Make) -> None:
    site.publish(2023, titles={Table.USAGERS: "Les personnes en 2023"})
    assert all(contents(site, settings()).values())


def test_title_counts_where_the_address_says_nothing(site: Site, settings: Make) -> None:
    site.publish(2024)
    site.add("Vehicules_2024.csv", "/20251107/2024.csv", b'"Num_Acc"\n', last_modified="2026-01-01")
    (edition,) = resolve(settings((2024,)))
    assert Path(edition.files[Table.VEHICULES]).read_bytes() == b'"Num_Acc"\n'


def test_file_that_was_changed_last_counts(site: Site, settings: Make) -> None:
    site.add("lieux-2023.csv", "/files/old.csv", b"old", last_modified="2024-01-01T00:00:00")
    site.publish(2023)
    site.add("lieux-2023.csv", "/files/older.csv", b"older", last_modified="2023-01-01T00:00:00")
    assert all(contents(site, settings()).values())


def test_year_that_is_not_published_is_named_with_the_names_looked_for(site: Site, settings: Make) -> None:
    site.publish(2023)
    with pytest.raises(SourceError, match=r"2031: .*usagers \(looked for usagers-2031\.csv\).*--years"):
        resolve(settings((2031,)))


def status(code: int, body: bytes = b"", content_type: str = "text/plain") -> Behaviour:
    def behave(handler: Handler, content: bytes) -> None:
        handler.begin(code, len(body), Content_Type=content_type)
        handler.wfile.write(body)

    return behave


def declares_more_than_it_sends(handler: Handler, content: bytes) -> None:
    handler.begin(200, len(content))
    handler.wfile.write(content[: len(content) // 2])


def sends_less_than_published(handler: Handler, content: bytes) -> None:
    serve(handler, content[: len(content) // 2])


def stalls(handler: Handler, content: bytes) -> None:
    handler.begin(200, len(content))
    handler.wfile.write(content[:100])
    handler.wfile.flush()
    time.sleep(0.6)


def drips(handler: Handler, content: bytes) -> None:
    handler.begin(200, len(content))
    for byte in content[:100]:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.02)


def resets(handler: Handler, content: bytes) -> None:
    handler.begin(200, len(content))
    handler.wfile.write(content[:100])
    # Closing with lingering of no time sends a reset in place of a farewell.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def leads_to(address: str) -> Behaviour:
    return lambda handler, _: handler.begin(302, 0, Location=address)


def changes_a_byte(handler: Handler, content: bytes) -> None:
    serve(handler, content[:-2] + b"9\n")


def never_ends(handler: Handler, content: bytes) -> None:
    handler.begin(200)
    while True:
        handler.wfile.write(content)


PAGE = b"<!DOCTYPE html><html><body>Maintenance</body></html>"


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (declares_more_than_it_sends, "IncompleteRead"),
        (sends_less_than_published, "bytes arrived, .* are published"),
        (status(404), "404"),
        (status(403), "403"),
        (status(500), "500"),
        (status(200, PAGE, "text/html; charset=utf-8"), "web page"),
        (status(200, PAGE), "web page"),
        (status(200), "0 bytes arrived"),
        (changes_a_byte, "does not have the checksum sha1:"),
        (stalls, "timed out"),
        (drips, "not complete after 1 seconds"),
        (resets, "reset|aborted"),
        (leads_to(LIEUX), "redirects"),
        (leads_to("http://192.0.2.1/lieux.csv"), "leads to http://192.* not https"),
        (leads_to("file:///etc/passwd"), "leads to file:///etc/passwd, which is not https"),
        (never_ends, "larger than 1 MB"),
    ],
    ids=lambda value: getattr(value, "__name__", None) if callable(value) else value,
)
def test_misbehaving_server_leaves_nothing_behind_and_the_next_run_completes(
    site: Site, settings: Make, behaviour: Behaviour, cause: str
) -> None:
    site.publish(2023)
    site.behaviours[LIEUX] = [behaviour]
    bad = settings(attempts=2, deadline_seconds=1, largest_megabytes=1)
    with pytest.raises(SourceError, match=cause) as caught:
        resolve(bad)
    message = str(caught.value)
    assert "lieux-2023.csv" in message
    assert site.root + LIEUX in message
    assert "again" in message or "Check" in message or "Use" in message
    assert_nothing_partial(site, bad)
    assert not list(bad.data_folder.rglob("tmp*"))
    site.behaviours.clear()
    assert all(contents(site, settings()).values())


@pytest.mark.parametrize("behaviour", [status(500), status(503), resets, declares_more_than_it_sends, stalls])
def test_passing_fault_is_survived(site: Site, settings: Make, behaviour: Behaviour) -> None:
    site.publish(2023)
    site.behaviours[LIEUX] = [behaviour, behaviour, serve]
    assert all(contents(site, settings(attempts=3)).values())


def test_missing_file_is_not_asked_for_again_and_again(site: Site, settings: Make) -> None:
    site.publish(2023)
    site.behaviours[LIEUX] = [status(404)]
    with pytest.raises(SourceError):
        resolve(settings())
    assert site.requests.count(LIEUX) == 1


def test_redirect_is_followed(site: Site, settings: Make) -> None:
    site.publish(2023)
    site.contents["/moved.csv"] = site.contents[LIEUX]
    site.behaviours[LIEUX] = [leads_to("/moved.csv")]
    assert all(contents(site, settings()).values())


def test_body_in_pieces_without_a_length_arrives_whole(site: Site, settings: Make) -> None:
    def in_pieces(handler: Handler, content: bytes) -> None:
        handler.begin(200, Transfer_Encoding="chunked")
        for start in range(0, len(content), 1000):
            piece = content[start : start + 1000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")

    site.publish(2023)
    site.behaviours[LIEUX] = [in_pieces]
    assert all(contents(site, settings()).values())


def test_address_without_encryption_is_refused_unless_it_is_this_machine(site: Site, settings: Make) -> None:
    site.publish(2023)
    site.add("lieux-2023.csv", "/x", b"x", url="http://example.org/lieux-2023.csv", last_modified="2026")
    with pytest.raises(SourceError, match=r"http://example\.org/lieux-2023\.csv.*not https"):
        resolve(settings())


@pytest.mark.parametrize(
    "answer",
    [b"not json", b"[]", b"{}", b'{"resources": []}', b'{"resources": [{"title": "x"}]}', b'{"resources": {"url": 1}}'],
)
def test_catalogue_that_is_none_is_named(site: Site, settings: Make, answer: bytes) -> None:
    site.contents["/api/"] = answer
    with pytest.raises(SourceError, match=r"catalogue\.json: http://127.* is not the description of a data set"):
        resolve(settings())
    assert not list(settings().data_folder.rglob("catalogue.json"))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_every_published_kind_of_checksum_is_verified(site: Site, settings: Make, algorithm: str) -> None:
    site.publish(2023)
    content = b"other contents\n"
    right = {"type": algorithm, "value": hashlib.new(algorithm, content).hexdigest()}
    wrong = {"type": algorithm, "value": hashlib.new(algorithm, b"").hexdigest()}
    site.add("usagers-2023.csv", "/files/new.csv", content, checksum=right, last_modified="2026-01-01")
    (edition,) = resolve(settings())
    assert Path(edition.files[Table.USAGERS]).read_bytes() == content
    site.add("usagers-2023.csv", "/files/wrong.csv", content, checksum=wrong, last_modified="2026-01-02")
    with pytest.raises(SourceError, match=algorithm):
        resolve(settings())


def test_damaged_copy_is_replaced(site: Site, settings: Make) -> None:
    site.publish(2023)
    (edition,) = resolve(settings())
    Path(edition.files[Table.LIEUX]).write_bytes(b"damaged")
    assert all(contents(site, settings()).values())


def test_folder_that_cannot_be_written_is_named(site: Site, settings: Make) -> None:
    site.publish(2023)
    settings().data_folder.write_text("a file where the folder should be")
    with pytest.raises(SourceError, match=r"raw: files cannot be kept there.*source\.data_folder"):
        resolve(settings())


def test_progress_is_drawn_on_terminals_alone(site: Site, settings: Make, capfd: pytest.CaptureFixture[str]) -> None:
    site.publish(2023)
    resolve(settings(), progress=True)
    assert "".join(capfd.readouterr()) == ""


class TestMirror:
    """The mirror of a year: used when data.gouv.fr does not deliver, and compared with its own first download."""

    @pytest.fixture
    def mirrored(self, site: Site, settings: Make) -> SourceSettings:
        site.publish(2021)
        for table in Table:
            site.contents[f"/mirror/{table}-2021.csv"] = f"mirrored {table}\n".encode()
        return settings((2021,), mirrors={2021: site.root + "/mirror/{table}-{year}.csv"})

    def files(self, settings: SourceSettings) -> dict[Table, bytes]:
        (edition,) = resolve(settings)
        return {table: Path(file).read_bytes() for table, file in edition.files.items()}

    def test_not_used_while_the_published_files_can_be_had(self, site: Site, mirrored: SourceSettings) -> None:
        assert all(contents(site, mirrored).values())

    def test_gives_the_whole_year_where_one_file_fails(
        self, site: Site, mirrored: SourceSettings, caplog: pytest.LogCaptureFixture
    ) -> None:
        site.behaviours["/files/usagers-2021.csv"] = [status(404)]
        assert self.files(mirrored) == {table: f"mirrored {table}\n".encode() for table in Table}
        assert "publishes no checksums" in caplog.text

    def test_is_not_asked_where_the_published_checksum_is_wrong(self, site: Site, mirrored: SourceSettings) -> None:
        site.behaviours["/files/usagers-2021.csv"] = [changes_a_byte]
        with pytest.raises(SourceError, match="checksum"):
            resolve(mirrored)

    def test_copies_are_used_again_offline(self, site: Site, mirrored: SourceSettings) -> None:
        site.behaviours["/api/"] = [status(503)]
        first = self.files(mirrored)
        site.requests.clear()
        assert self.files(mirrored) == first
        assert set(site.requests) == {"/api/"}

    def test_contents_that_changed_since_the_first_download_are_refused(
        self, site: Site, mirrored: SourceSettings
    ) -> None:
        site.behaviours["/api/"] = [status(503)]
        (edition,) = resolve(mirrored)
        Path(edition.files[Table.LIEUX]).unlink()
        site.contents["/mirror/lieux-2021.csv"] = b"other lieux\n"
        with pytest.raises(SourceError, match=r"lieux-2021\.csv.*noted at the first download.*delete .*url-"):
            resolve(mirrored)

    def test_web_page_is_refused_though_no_checksum_is_known(self, site: Site, mirrored: SourceSettings) -> None:
        site.behaviours["/api/"] = [status(503)]
        site.behaviours["/mirror/lieux-2021.csv"] = [status(200, PAGE)]
        with pytest.raises(SourceError, match="web page"):
            resolve(mirrored)
