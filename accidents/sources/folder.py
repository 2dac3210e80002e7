"""Editions in a local folder or behind any fsspec URL."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from accidents.columns.specification import Table
from accidents.errors import SourceError
from accidents.sources.edition import Edition
from accidents.sources.file_names import expected_file_names, missing_tables, parse_file_name, resembles_file_name

_LISTED = 4


def folder_editions(folder: str, years: Collection[int] | None) -> list[Edition]:
    """Find the editions in a folder and in the folders just below it.

    The year of a file is the one in its name, or else the name of its folder.

    Args:
        folder: Local path or fsspec URL.
        years: Years to find; None for all.

    Returns:
        Editions sorted by year.

    Raises:
        SourceError: Nothing is there, a table of a year is missing, or two files claim to be the same table.
    """
    files = _published_files(folder)
    if not files:
        names = ", ".join(expected_file_names(table, 2024) for table in Table)
        raise SourceError(
            f"{folder}: no BAAC file found there or one folder below. Looked for names such as {names}. "
            f"{_similar_files(folder) or 'Give the folder that holds the four files of a year.'}"
        )
    selected: Collection[int | None] = files if years is None else years
    return [_edition(folder, year, files.get(year, {})) for year in sorted(selected, key=lambda year: year or 0)]


def _published_files(folder: str) -> dict[int | None, dict[Table, list[str]]]:
    """Paths or URLs of all files with a published name, by year and table."""
    files: dict[int | None, dict[Table, list[str]]] = defaultdict(lambda: defaultdict(list))
    for address in _list_files(folder):
        path = PurePosixPath(address.partition("::")[0])
        parsed = parse_file_name(path.name)
        if parsed is not None:
            table, year = parsed
            files[year or _year_of_folder(path.parent.name)][table].append(address)
    return files


def _similar_files(folder: str) -> str:
    """A hint at files whose name only begins like a published one; empty where there is none."""
    names = [PurePosixPath(address.partition("::")[0]).name for address in _list_files(folder)]
    similar = [name for name in names if resembles_file_name(name) and parse_file_name(name) is None]
    return f"Unpack or rename {', '.join(similar[:_LISTED])}." if similar else ""


def _year_of_folder(name: str) -> int | None:
    return int(name) if name.isdecimal() and len(name) == 4 else None


def _edition(folder: str, year: int | None, candidates: Mapping[Table, list[str]]) -> Edition:
    label = f"{folder}, year {year}" if year else folder
    if names := missing_tables(candidates, year):
        remedy = _similar_files(folder) or "Put the file there, or choose the years to use with --years."
        raise SourceError(f"{label}: missing {names}. {remedy}")
    for table, addresses in candidates.items():
        if len(addresses) > 1:
            raise SourceError(
                f"{label}: {len(addresses)} files could be {table}: {', '.join(sorted(addresses))}. Keep one of them."
            )
    return Edition(year, {table: candidates[table][0] for table in Table})


def _list_files(folder: str) -> list[str]:
    """Paths or URLs of the files in a folder and one folder below."""
    import fsspec

    try:
        filesystem, root = fsspec.core.url_to_fs(folder, use_listings_cache=False)
        exists = filesystem.isdir(root)
        paths = sorted(filesystem.find(root, maxdepth=2)) if exists else []
    except Exception as error:  # every filesystem library raises errors of its own
        raise SourceError(
            f"{folder}: the folder cannot be listed: {error}. Check the address, the credentials and the network."
        ) from error
    if not exists:
        raise SourceError(f"{folder}: there is no such folder. Check its spelling.")
    if "file" in filesystem.protocol:
        return paths
    _, chained, archive = folder.partition("::")
    return [filesystem.unstrip_protocol(path) + chained + archive for path in paths]
