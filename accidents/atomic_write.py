"""Atomic file writes: a reader sees the old content or the new one, never a part of it."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accidents.process_owner import ProcessOwner

_SUFFIX = ".tmp"
_ABANDONED_SECONDS = 7 * 24 * 3600
"""Age of a temporary file of another machine, or of an earlier boot, that nobody is writing any more."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Replace a file in one step once the block that writes it has ended.

    Folders above `path` are made. Where the block raises, `path` keeps its content and the temporary file is deleted.
    A killed process may leave the temporary file, `.<name>.<owner>.tmp`, behind; the next write into the same folder
    deletes it (`delete_abandoned_files`).

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
    delete_abandoned_files(path.parent)
    temporary = path.with_name(f".{path.name}.{ProcessOwner.current()}{_SUFFIX}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def delete_abandoned_files(folder: Path) -> list[Path]:
    """Delete the temporary files of `atomic_write` in a folder whose process has ended; returns them.

    Files of other machines, whose processes cannot be looked up, are deleted once they are a week old.
    """
    deleted = []
    for file in folder.glob(f".*{_SUFFIX}"):
        owner = ProcessOwner.parse(file.name.removesuffix(_SUFFIX).rpartition(".")[2])
        with contextlib.suppress(OSError):  # another process deletes it, too, or it belongs to another user
            old = time.time() - file.stat().st_mtime > _ABANDONED_SECONDS
            if owner is not None and (owner.has_ended or (not owner.is_local and old)):
                file.unlink()
                deleted.append(file)
    return deleted


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes to a file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write text to a file atomically, in UTF-8."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
