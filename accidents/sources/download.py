"""Download of one file over HTTP: limited in time, size and attempts, and verified before it gets its name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin, urlsplit

from accidents.configuration.source import DatagouvSettings
from accidents.errors import SourceError

if TYPE_CHECKING:
    import requests

_CHUNK_BYTES = 1 << 16
_LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")
_RETRIED_STATUS = (408, 425, 429, 500, 502, 503, 504)
_REMEDY = (
    "Check the connection and run again: files already downloaded are kept. "
    "Or download the four files of the year by hand and pass their folder with --source."
)


class UnreachableError(SourceError):
    """A server did not deliver the file; a mirror may."""


class _TransientError(Exception):
    """A failure of the network or of the server that is worth a retry."""


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Attributes:
        name: its file name in the cache.
        url: its URL.
        size: bytes, where published.
        checksum: `algorithm:hexadecimal`, where published; the algorithm is sha1, sha256 or md5.
    """

    name: str
    url: str
    size: int | None = None
    checksum: str | None = None


def download_file(remote: RemoteFile, folder: Path, limits: DatagouvSettings, *, progress: bool) -> Path:
    """Download a file into a folder, unless the folder has it with the published checksum.

    It is downloaded under a temporary name (`tmp*`) and renamed once size and checksum are verified.

    Args:
        remote: the published file.
        folder: the folder.
        limits: limits of the download.
        progress: whether to draw a progress bar on standard error where that is a terminal.

    Returns:
        `folder / remote.name`.

    Raises:
        UnreachableError: the server did not deliver the file.
        SourceError: the delivered file is not the published one.
    """
    import pooch

    def fetch(url: str, target: str, _pooch: object) -> None:
        with Path(target).open("wb") as sink:
            download_into(sink, RemoteFile(remote.name, url, remote.size), limits, progress=progress)

    pooch.get_logger().setLevel("WARNING")
    try:
        path = pooch.retrieve(remote.url, remote.checksum, fname=remote.name, path=folder, downloader=fetch)
    except ValueError as error:
        raise SourceError(
            f"{remote.name}: what {remote.url} delivers does not have the checksum {remote.checksum}, which was "
            "published or noted at the first download. It was damaged on the way or replaced at its source, and is not "
            f"kept. Run again later. Where no checksums are published, delete {folder} to accept the new contents."
        ) from error
    return Path(path)


def download_into(sink: BinaryIO, remote: RemoteFile, limits: DatagouvSettings, *, progress: bool) -> None:
    """Write the body of `remote.url` to an open file, with retries after transient failures.

    Raises:
        UnreachableError: no attempt delivered the whole body.
        SourceError: the response is not the published file, and a retry would not help.
    """
    deadline = time.monotonic() + limits.deadline_seconds
    for attempt in range(1, limits.attempts + 1):
        sink.seek(0)
        sink.truncate()
        try:
            _attempt(sink, remote, limits, deadline, progress)
        except _TransientError as error:
            if attempt == limits.attempts or time.monotonic() > deadline:
                raise UnreachableError(
                    f"{remote.name}: {remote.url} could not be downloaded ({attempt} attempts): {error}. {_REMEDY}"
                ) from error
            time.sleep(limits.pause_seconds * 2 ** (attempt - 1))
        else:
            return


def _attempt(sink: BinaryIO, remote: RemoteFile, limits: DatagouvSettings, deadline: float, progress: bool) -> None:
    """Send one request and write the body; raises only errors of this module."""
    import requests
    import urllib3
    from tqdm import tqdm

    _require_https(remote.url, remote)
    try:
        with requests.get(
            remote.url,
            stream=True,
            timeout=limits.timeout_seconds,
            headers={"Accept-Encoding": "identity"},
            hooks={"response": lambda response, **_: _require_https(_redirect_url(response), remote)},
        ) as response:
            _check_response(response, remote, limits)
            total = remote.size or _content_length(response) or None
            # `None` draws the bar on a terminal alone.
            with tqdm(
                total=total, desc=remote.name, unit="B", unit_scale=True, disable=None if progress else True
            ) as bar:
                for chunk in _body_chunks(response, remote, limits, deadline):
                    sink.write(chunk)
                    bar.update(len(chunk))
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
        raise _TransientError(_cause(error)) from error
    except requests.RequestException as error:
        raise UnreachableError(
            f"{remote.name}: {remote.url} could not be downloaded: {_cause(error)}. {_REMEDY}"
        ) from error
    if remote.size is not None and sink.tell() != remote.size:
        raise _TransientError(f"{sink.tell():,} bytes arrived, {remote.size:,} are published")


def _check_response(response: requests.Response, remote: RemoteFile, limits: DatagouvSettings) -> None:
    """Reject a response that is not the file, before its body is read."""
    status = response.status_code
    if status in _RETRIED_STATUS:
        raise _TransientError(f"the server answers {status} {response.reason}")
    if status != 200:
        raise UnreachableError(
            f"{remote.name}: {remote.url} could not be downloaded: the server answers {status} {response.reason}. "
            f"The file may have moved. {_REMEDY}"
        )
    if "html" in response.headers.get("Content-Type", ""):
        raise _html_page(remote)
    if _content_length(response) > limits.largest_megabytes * 1e6:
        raise _too_large(remote, limits)


def _content_length(response: requests.Response) -> int:
    """`Content-Length` in bytes; 0 where it is missing."""
    declared = response.headers.get("Content-Length", "")
    return int(declared) if declared.isdecimal() else 0


def _body_chunks(
    response: requests.Response, remote: RemoteFile, limits: DatagouvSettings, deadline: float
) -> Iterator[bytes]:
    """Chunks of the body, as long as it looks like the file and stays within the limits."""
    received = 0
    # `read1` returns what has arrived; other methods wait for a whole chunk, however slow the server is.
    for chunk in iter(lambda: response.raw.read1(_CHUNK_BYTES), b""):
        if received == 0 and chunk.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise _html_page(remote)
        received += len(chunk)
        if received > limits.largest_megabytes * 1e6:
            raise _too_large(remote, limits)
        if time.monotonic() > deadline:
            raise _TransientError(f"the file was not complete after {limits.deadline_seconds:g} seconds")
        yield chunk


def _redirect_url(response: requests.Response) -> str:
    """Target of a redirect; the URL of the response itself where it is none."""
    return urljoin(response.url, response.headers.get("Location", ""))


def _require_https(url: str, remote: RemoteFile) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS):
        raise SourceError(
            f"{remote.name}: {remote.url} leads to {url}, which is not https and can be changed on its way. "
            "Use an address that begins with https://."
        )


def _html_page(remote: RemoteFile) -> UnreachableError:
    return UnreachableError(f"{remote.name}: {remote.url} answers with a web page in place of the file. {_REMEDY}")


def _too_large(remote: RemoteFile, limits: DatagouvSettings) -> SourceError:
    return SourceError(
        f"{remote.name}: {remote.url} is larger than {limits.largest_megabytes:g} MB, the most that is accepted. "
        "Check the address, or raise source.datagouv.largest_megabytes."
    )


def _cause(error: Exception) -> str:
    """The innermost message of an error of the HTTP libraries, which wrap each other several times."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    return str(reason or error)
