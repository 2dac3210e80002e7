"""Editions from data.gouv.fr: a local cache of its files, and mirrors as a fallback.

The cache folder contains:

    catalogue.json                          the last response of the API
    sha1-<checksum>/lieux-2021.csv          a file with a published checksum
    url-<digest of the URL>/lieux-2021.csv  a file without one; that of the first download is in lieux-2021.csv.sha256
"""

import hashlib
import io
import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from accidents.atomic_write import write_bytes, write_text
from accidents.columns.specification import Table
from accidents.configuration.source import DatagouvSettings
from accidents.sources.cache import lock_cache
from accidents.sources.catalogue import Catalogue, parse_catalogue, published_files
from accidents.sources.download import RemoteFile, UnreachableError, download_file, download_into
from accidents.sources.edition import Edition

logger = logging.getLogger(__name__)


def datagouv_editions(
    years: Iterable[int], settings: DatagouvSettings, folder: Path, *, progress: bool
) -> list[Edition]:
    """Download the four files of each year into a cache, and verify them.

    All files of a year come from data.gouv.fr or, where that fails, from the mirror of the year.

    Args:
        years: years to download.
        settings: URLs, timeouts and limits.
        folder: the cache.
        progress: whether to draw progress bars on standard error where that is a terminal.

    Returns:
        Editions sorted by year.

    Raises:
        SourceError: a file is not published, cannot be downloaded or does not have its published checksum.
    """
    with lock_cache(folder):
        cache = _DatagouvCache(settings, folder, progress)
        return [cache.edition(year) for year in sorted(set(years))]


class _DatagouvCache:
    """Published files, downloaded unless the cache folder has them."""

    def __init__(self, settings: DatagouvSettings, folder: Path, progress: bool) -> None:
        self._settings = settings
        self._folder = folder
        self._progress = progress

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
        """The catalogue from the API or, where that is unreachable, its last response."""
        cached = self._folder / "catalogue.json"
        response = io.BytesIO()
        try:
            download_into(response, RemoteFile(cached.name, self._settings.catalogue), self._settings, progress=False)
        except UnreachableError as error:
            if not cached.exists():
                raise
            logger.warning("%s Using the catalogue as it was read last.", error)
            return parse_catalogue(cached.read_bytes(), str(cached))
        catalogue = parse_catalogue(response.getvalue(), self._settings.catalogue)
        write_bytes(cached, response.getvalue())
        return catalogue

    def _fetch(self, year: int, remotes: Mapping[Table, RemoteFile]) -> Edition:
        return Edition(year, {table: str(self._file(remote)) for table, remote in remotes.items()})

    def _file(self, remote: RemoteFile) -> Path:
        if remote.checksum is not None:
            return self._download(remote, remote.checksum.replace(":", "-"))
        subfolder = f"url-{hashlib.sha256(remote.url.encode()).hexdigest()[:16]}"
        checksum_file = self._folder / subfolder / f"{remote.name}.sha256"
        if checksum_file.exists():
            checksum = f"sha256:{checksum_file.read_text().split()[0]}"
            return self._download(RemoteFile(remote.name, remote.url, remote.size, checksum), subfolder)
        path = self._download(remote, subfolder)
        write_text(checksum_file, f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {remote.name}\n")
        return path

    def _download(self, remote: RemoteFile, subfolder: str) -> Path:
        return download_file(remote, self._folder / subfolder, self._settings, progress=self._progress)
