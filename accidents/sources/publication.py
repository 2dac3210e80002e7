"""What data.gouv.fr publishes now, compared with the editions that models were trained on.

The API has the SHA-1 of each file. The digest of an edition is the SHA-256 over tables and SHA-1 of its four files, so
that a published edition is compared with a training without a download.
"""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from accidents.columns.specification import Table
from accidents.configuration.source import DatagouvSettings
from accidents.errors import SourceError
from accidents.sources.catalogue import Catalogue, parse_catalogue, published_files
from accidents.sources.download import RemoteFile, download_into
from accidents.sources.edition import Checksums, Edition, read_checksums
from accidents.sources.file_names import parse_file_name

TRAINED, CHANGED, NEW, UNKNOWN = "trained", "changed", "new", "unknown"
_SHA1 = "sha1:"


@dataclass(frozen=True)
class PublishedEdition:
    """An edition that is published: its year, its digest, None without checksums, and when a file last changed."""

    year: int
    digest: str | None
    modified: str


@dataclass(frozen=True)
class EditionStatus:
    """A published edition and the models that were trained on it.

    Attributes:
        year: its year.
        modified: when one of its files last changed, as published.
        status: `trained`, on these very files; `changed`, the files of models are others; `new`, no model has seen the
            year; `unknown`, the published checksums do not tell.
        models: those that were trained on the year, by whether on these files.
    """

    year: int
    modified: str
    status: str
    models: Mapping[str, bool]


def edition_digest(edition: Edition, checksums: Callable[[str], Checksums] = read_checksums) -> str:
    """Digest of the files of an edition, 64 hexadecimal digits; independent of names and places.

    Args:
        edition: the edition.
        checksums: those of a file.

    Raises:
        OSError: a file cannot be read.
    """
    return _digest({table: checksums(file).sha1.hexdigest() for table, file in edition.files.items()})


def read_publication(settings: DatagouvSettings) -> list[PublishedEdition]:
    """Ask the API of data.gouv.fr, or what `settings.catalogue` names, for all editions with four files, by year.

    Raises:
        UnreachableError: it does not answer.
        SourceError: its response is not the description of a data set.
    """
    response = io.BytesIO()
    download_into(response, RemoteFile("catalogue.json", settings.catalogue), settings, progress=False)
    catalogue = parse_catalogue(response.getvalue(), settings.catalogue)
    parsed = [
        parse_file_name(one.title or "") or parse_file_name(one.url.rpartition("/")[2]) for one in catalogue.resources
    ]
    years = sorted({one[1] for one in parsed if one and one[1]})
    return [edition for year in years if (edition := _published_edition(catalogue, year))]


def compare_editions(
    published: list[PublishedEdition], trained: Mapping[str, Mapping[str, str]]
) -> list[EditionStatus]:
    """Compare published editions with those that models were trained on.

    Args:
        published: from `read_publication`.
        trained: by name of a model, the digests of its editions by year (`ModelManifest.editions`).

    Returns:
        One status a published edition, in order.
    """
    return [_status(edition, trained) for edition in published]


def _status(edition: PublishedEdition, trained: Mapping[str, Mapping[str, str]]) -> EditionStatus:
    year = str(edition.year)
    models = {name: editions[year] == edition.digest for name, editions in trained.items() if year in editions}
    if not models:
        status = NEW
    elif edition.digest is None:
        status = UNKNOWN
    else:
        status = TRAINED if any(models.values()) else CHANGED
    return EditionStatus(edition.year, edition.modified, status, models)


def _published_edition(catalogue: Catalogue, year: int) -> PublishedEdition | None:
    """None where a table of the year is not published (yet)."""
    try:
        files = published_files(catalogue, year)
    except SourceError:
        return None
    checksums = {table: file.checksum or "" for table, file in files.items()}
    known = all(checksum.startswith(_SHA1) for checksum in checksums.values())
    digest = _digest({table: one.removeprefix(_SHA1) for table, one in checksums.items()}) if known else None
    urls = {file.url for file in files.values()}
    modified = max((one.last_modified or "" for one in catalogue.resources if one.url in urls), default="")
    return PublishedEdition(year, digest, modified[:10])


def _digest(checksums: Mapping[Table, str]) -> str:
    lines = "\n".join(f"{table} {checksums[table]}" for table in sorted(checksums))
    return hashlib.sha256(lines.encode()).hexdigest()
