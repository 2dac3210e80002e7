"""One number for the contents of published files, wherever they lie."""

import hashlib
from collections.abc import Iterable

from accidents.sources.edition import Edition


def fingerprint(editions: Iterable[Edition]) -> str:
    """SHA-256 (hexadecimal) over the tables and contents of the editions.

    It depends on the bytes of the files and on which table each one is; not on where they lie, on what they are called
    or on the order of the editions.
    """
    lines = sorted(
        " ".join(f"{table} {_digest(edition.files[table])}" for table in sorted(edition.files)) for edition in editions
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _digest(file: str) -> str:
    import fsspec

    with fsspec.open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
