"""Editions: paths of the four published files of a year, and the fingerprint of their contents."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accidents.columns.specification import Table


@dataclass(frozen=True)
class Edition:
    """The four published files of one year.

    Attributes:
        year: the year; None where neither the source nor the file names contain it.
        files: local path or fsspec URL of each table.
        scaled_departments: whether departments until 2018 are times ten; None to judge by the file. A part of a file
            may not have the departments that show it.
    """

    year: int | None
    files: Mapping[Table, str]
    scaled_departments: bool | None = None


def fingerprint(editions: Iterable[Edition]) -> str:
    """SHA-256 of the contents of editions.

    It depends on the bytes of the files and on their tables; not on their location, their names or the order of the
    editions.

    Returns:
        64 hexadecimal digits.
    """
    lines = sorted(
        " ".join(f"{table} {_sha256(edition.files[table])}" for table in sorted(edition.files)) for edition in editions
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _sha256(file: str) -> str:
    import fsspec

    with fsspec.open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
