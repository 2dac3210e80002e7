"""Atomic file writes: a reader sees the old content or the new one, never a part of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accidents.temporary_files import delete_abandoned, temporary_name


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Replace a file in one step once the block that writes it has ended.

    Folders above `path` are made. Where the block raises, `path` keeps its content and the temporary file is deleted.
    A killed process may leave the temporary file, `.<name>.<owner>.tmp`, behind; the next write into the same folder
    deletes it.

    Args:
        path: the file to write.

    Yields:
        Path of a temporary file in the same folder, which the block has to write.

    Raises:
        FileNotFoundError: the block wrote nothing.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "reports" / "metrics.json"
        >>> with atomic_write(target) as temporary:
        ...     _ = temporary.write_text("{}")
        >>> target.read_text(), [file.name for file in target.parent.iterdir()]
        ('{}', ['metrics.json'])
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    delete_abandoned(path.parent)
    temporary = path.with_name(temporary_name(path.name))
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno and error.filename is None:  # a full disk while writing does not tell of which file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes to a file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write text to a file atomically, in UTF-8."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
