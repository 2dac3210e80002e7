"""Editions from data.gouv.fr: local copies of its files, and mirrors for when it is out of reach.

The folder of copies belongs to this module alone:

    catalogue.json                      the data set as the API described it last
    sha1-<checksum>/lieux-2021.csv      a file whose checksum is published, kept by it
    url-<digest of the URL>/lieux-2021.csv  a file without one; its own is noted beside it in lieux-2021.csv.sha256
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.atomic_write import write_bytes, write_text
from accidents.columns.specification import Table
from accidents.sources.cache import lock_cache
from accidents.sources.catalogue import Catalogue, parse_catalogue, published_files
from accidents.sources.download import DownloadLimits, RemoteFile, UnreachableError, download_file, download_into
from accidents.sources.edition import Edition

if TYPE_CHECKING:
    from accidents.configuration.source import DatagouvSettings

logger = logging.getLogger(__name__)


def datagouv_editions(
    years: Iterable[int], settings: DatagouvSettings, folder: Path, *, progress: bool
) -> list[Edition]:
    """Download the four files of each year, or find them in `folder`, verified.

    All files of a year come from one place: data.gouv.fr or, where it does not deliver, the mirror of that year.

    Raises:
        SourceError: A file is not published, cannot be downloaded or is not what was published.
    """
    with lock_cache(folder):
        library = _Library(settings, folder, progress)
        return [library.edition(year) for year in sorted(set(years))]


class _Library:
    """The published files, fetched into a folder unless they are there."""

    def __init__(self, settings: DatagouvSettings, folder: Path, progress: bool) -> None:
        self._settings = settings
        self._folder = folder
        self._progress = progress
        self._limits = DownloadLimits(
            timeout=settings.timeout_seconds,
            deadline=settings.deadline_seconds,
            attempts=settings.attempts,
            pause=settings.pause_seconds,
            largest=int(settings.largest_megabytes * 1e6),
        )

    def edition(self, year: int) -> Edition:
        try:
            return self._fetch(year, published_files(self._catalogue, year))
        except UnreachableError as error:
            template = self._settings.mirrors.get(year)
            if template is None:
                raise
            logger.warning("%s", error)
        logger.warning(
            "Using the mirror %s for %s. It publishes no checksums: each file is compared with its first download.",
            template,
            year,
        )
        urls = {table: template.format(table=table, year=year) for table in Table}
        return self._fetch(year, {table: RemoteFile(f"{table}-{year}.csv", url) for table, url in urls.items()})

    @cached_property
    def _catalogue(self) -> Catalogue:
        """The data set as the API describes it now or, where the API is out of reach, as it did last."""
        kept = self._folder / "catalogue.json"
        answer = io.BytesIO()
        try:
            download_into(answer, RemoteFile(kept.name, self._settings.catalogue), self._limits, progress=False)
        except UnreachableError as error:
            if not kept.exists():
                raise
            logger.warning("%s Using the catalogue as it was read last.", error)
            return parse_catalogue(kept.read_bytes(), str(kept))
        catalogue = parse_catalogue(answer.getvalue(), self._settings.catalogue)
        write_bytes(kept, answer.getvalue())
        return catalogue

    def _fetch(self, year: int, remotes: Mapping[Table, RemoteFile]) -> Edition:
        return Edition(year, {table: str(self._file(remote)) for table, remote in remotes.items()})

    def _file(self, remote: RemoteFile) -> Path:
        if remote.checksum is not None:
            return self._download(remote, remote.checksum.replace(":", "-"))
        key = f"url-{hashlib.sha256(remote.url.encode()).hexdigest()[:16]}"
        note = self._folder / key / f"{remote.name}.sha256"
        if note.exists():
            noted = f"sha256:{note.read_text().split()[0]}"
            return self._download(RemoteFile(remote.name, remote.url, remote.size, noted), key)
        path = self._download(remote, key)
        write_text(note, f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {remote.name}\n")
        return path

    def _download(self, remote: RemoteFile, key: str) -> Path:
        return download_file(remote, self._folder / key, self._limits, progress=self._progress)
