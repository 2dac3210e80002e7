"""Editions: paths of the four published files of a year, and the fingerprint of their contents."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
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


class Checksums:
    """SHA-256 and SHA-1 of the same bytes; the latter is what data.gouv.fr publishes."""

    def __init__(self) -> None:
        self.sha256, self.sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)

    def update(self, data: bytes | memoryview) -> None:
        """Add bytes."""
        self.sha256.update(data)
        self.sha1.update(data)


def read_checksums(file: str) -> Checksums:
    """Checksums of a file, which is read once.

    Args:
        file: local path or fsspec URL.

    Raises:
        OSError: it cannot be read.
    """
    import fsspec

    with fsspec.open(file, "rb") as stream:
        return hashlib.file_digest(stream, Checksums)  # type: ignore[return-value, arg-type]


def fingerprint(editions: Iterable[Edition], checksums: Callable[[str], Checksums] = read_checksums) -> str:
    """SHA-256 of the contents of editions.

    It depends on the bytes of the files and on their tables; not on their location, their names or the order of the
    editions.

    Args:
        editions: the editions.
        checksums: those of a file.

    Returns:
        64 hexadecimal digits.
    """
    lines = sorted(
        " ".join(f"{table} {checksums(edition.files[table]).sha256.hexdigest()}" for table in sorted(edition.files))
        for edition in editions
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
