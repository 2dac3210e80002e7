"""Resolves the `source` section of the configuration into editions."""

from datetime import UTC, datetime

from accidents.configuration.source import DATAGOUV, SAMPLE, SourceSettings
from accidents.errors import ConfigurationError, SourceError
from accidents.sources.edition import Edition


def resolve_editions(settings: SourceSettings, *, progress: bool = False) -> list[Edition]:
    """Find, generate or download the files of a source.

    Args:
        settings: location, years and folder of the cache.
        progress: whether to draw progress bars on standard error where that is a terminal.

    Returns:
        At least one edition, sorted by year; every edition has all four files.

    Raises:
        ConfigurationError: a synthetic year is not over.
        SourceError: the message names the file or folder, the cause and the remedy.
    """
    try:
        return _editions(settings, progress)
    except OSError as error:
        raise SourceError(
            f"{settings.data_folder}: files cannot be kept there: {error}. Check the disk and the rights of the "
            "folder, or choose another one with source.data_folder."
        ) from error


def _editions(settings: SourceSettings, progress: bool) -> list[Edition]:
    if settings.location == SAMPLE:
        from accidents.sources.synthetic import synthetic_editions

        sample = settings.sample
        folder = settings.data_folder / "sample"
        if (last := max(settings.years or (sample.year,))) >= (now := datetime.now(UTC).year):
            raise ConfigurationError(f"{last} is not over, and synthetic accidents fill whole years: up to {now - 1}")
        return synthetic_editions(settings.years or (sample.year,), sample.accidents, sample.seed, folder)
    if settings.location == DATAGOUV:
        from accidents.sources.datagouv import datagouv_editions

        folder = settings.data_folder / "datagouv"
        return datagouv_editions(settings.years or (), settings.datagouv, folder, progress=progress)
    from accidents.sources.folder import folder_editions

    return folder_editions(settings.location, settings.years)
