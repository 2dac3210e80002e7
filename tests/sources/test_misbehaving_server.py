"""Downloads from servers that misbehave: nothing half done stays, and the mirror of a year takes over where it may."""

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
from accidents.sources.resolve import resolve_editions
from tests.sources.site import Behaviour, Handler, Site, contents, serve

pytestmark = [pytest.mark.slow, pytest.mark.traced]

Make = Callable[..., SourceSettings]
LIEUX = "/files/lieux-2023.csv"


def assert_nothing_partial(site: Site, settings: SourceSettings) -> None:
    """Every file that bears a file's name is exactly what was published under it."""
    whole = {hashlib.sha1(content, usedforsecurity=False).hexdigest() for content in site.contents.values()}
    for path in settings.data_folder.rglob("*.csv"):
        assert hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest() in whole
    for path in settings.data_folder.rglob("catalogue.json"):
        json.loads(path.read_bytes())


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
        resolve_editions(bad)
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


def test_a_missing_file_is_not_retried(site: Site, settings: Make) -> None:
    site.publish(2023)
    site.behaviours[LIEUX] = [status(404)]
    with pytest.raises(SourceError):
        resolve_editions(settings())
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


class TestMirror:
    """The mirror of a year: used when data.gouv.fr does not deliver, and compared with its own first download."""

    @pytest.fixture
    def mirrored(self, site: Site, settings: Make) -> SourceSettings:
        site.publish(2021)
        for table in Table:
            site.contents[f"/mirror/{table}-2021.csv"] = f"mirrored {table}\n".encode()
        return settings((2021,), mirrors={2021: site.root + "/mirror/{table}-{year}.csv"})

    def files(self, settings: SourceSettings) -> dict[Table, bytes]:
        (edition,) = resolve_editions(settings)
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
            resolve_editions(mirrored)

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
        (edition,) = resolve_editions(mirrored)
        Path(edition.files[Table.LIEUX]).unlink()
        site.contents["/mirror/lieux-2021.csv"] = b"other lieux\n"
        with pytest.raises(SourceError, match=r"lieux-2021\.csv.*noted at the first download.*delete .*url-"):
            resolve_editions(mirrored)

    def test_web_page_is_refused_though_no_checksum_is_known(self, site: Site, mirrored: SourceSettings) -> None:
        site.behaviours["/api/"] = [status(503)]
        site.behaviours["/mirror/lieux-2021.csv"] = [status(200, PAGE)]
        with pytest.raises(SourceError, match="web page"):
            resolve_editions(mirrored)
