"""Editions that lie in a folder, on this machine or behind any fsspec URL. Files are listed here and not opened."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from accidents.columns.specification import Table
from accidents.errors import SourceError
from accidents.sources.edition import Edition
from accidents.sources.file_names import expected_file_names, parse_file_name


def folder_editions(folder: str, years: Collection[int] | None) -> list[Edition]:
    """Find the editions in a folder and in the folders just below it, sorted by year.

    The year of a file is the one in its name, or else the name of the folder that it lies in.

    Args:
        folder: Local path or fsspec URL.
        years: Years wanted; None for all that are there.

    Raises:
        SourceError: Nothing is there, a table of a year is missing, or two files claim to be the same table.
    """
    found = _recognised_files(folder)
    if not found:
        names = ", ".join(expected_file_names(table, 2024) for table in Table)
        raise SourceError(
            f"{folder}: no BAAC file found there or one folder below. Looked for names such as {names}. "
            "Give the folder that holds the four files of a year."
        )
    wanted: Collection[int | None] = found if years is None else years
    return [_edition(folder, year, found.get(year, {})) for year in sorted(wanted, key=lambda year: year or 0)]


def _recognised_files(folder: str) -> dict[int | None, dict[Table, list[str]]]:
    """Addresses of all files with a published name, by year and table."""
    found: dict[int | None, dict[Table, list[str]]] = defaultdict(lambda: defaultdict(list))
    for address in _listing(folder):
        path = PurePosixPath(address.partition("::")[0])
        named = parse_file_name(path.name)
        if named is not None:
            table, year = named
            found[year or _year_of_folder(path.parent.name)][table].append(address)
    return found


def _year_of_folder(name: str) -> int | None:
    return int(name) if name.isdecimal() and len(name) == 4 else None


def _edition(folder: str, year: int | None, candidates: Mapping[Table, list[str]]) -> Edition:
    label = f"{folder}, year {year}" if year else folder
    missing = [table for table in Table if table not in candidates]
    if missing:
        names = "; ".join(f"{table} (looked for {expected_file_names(table, year)})" for table in missing)
        raise SourceError(f"{label}: missing {names}. Put the file there, or choose the years to use with --years.")
    for table, addresses in candidates.items():
        if len(addresses) > 1:
            raise SourceError(
                f"{label}: {len(addresses)} files could be {table}: {', '.join(sorted(addresses))}. Keep one of them."
            )
    return Edition(year, {table: candidates[table][0] for table in Table})


def _listing(folder: str) -> list[str]:
    """Addresses of the files in a folder and one folder below; local ones are plain paths."""
    import fsspec

    try:
        filesystem, root = fsspec.core.url_to_fs(folder, use_listings_cache=False)
        if not filesystem.isdir(root):
            raise SourceError(f"{folder}: there is no such folder. Check its spelling.")
        paths = sorted(filesystem.find(root, maxdepth=2))
    except SourceError:
        raise
    except Exception as error:  # every filesystem library raises errors of its own
        raise SourceError(
            f"{folder}: the folder cannot be listed: {error}. Check the address, the credentials and the network."
        ) from error
    if "file" in filesystem.protocol:
        return paths
    _, chained, archive = folder.partition("::")
    return [filesystem.unstrip_protocol(path) + chained + archive for path in paths]
