"""Temporary files and folders that name their process, so that those of killed processes are found and deleted."""

import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from accidents.process_owner import ProcessOwner

_SUFFIX = ".tmp"
_ABANDONED_SECONDS = 7 * 24 * 3600
"""Age of a temporary file of another machine, or of an earlier boot, that nobody is writing any more."""


def temporary_name(name: str) -> str:
    """Name of a temporary file or folder of this process: `.<name>.<owner>.tmp`."""
    return f".{name}.{ProcessOwner.current()}{_SUFFIX}"


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder, for its owner alone, that is deleted when the block ends, or by the next one if the process is killed.

    Args:
        parent: the folder above it; that of the system for temporary files where None.
    """
    parent = parent or Path(tempfile.gettempdir())
    delete_abandoned(parent)
    folder = parent / temporary_name(f"accidents-{uuid.uuid4().hex[:8]}")
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def delete_abandoned(folder: Path) -> list[Path]:
    """Delete temporary files and folders in a folder whose process has ended; returns them.

    Those of other machines, whose processes cannot be looked up, are deleted once they are a week old.
    """
    deleted = []
    for path in folder.glob(f".*{_SUFFIX}"):
        owner = ProcessOwner.parse(path.name.removesuffix(_SUFFIX).rpartition(".")[2])
        with contextlib.suppress(OSError):  # another process deletes it, too, or it belongs to another user
            old = time.time() - path.stat().st_mtime > _ABANDONED_SECONDS
            if owner is not None and (owner.has_ended or (not owner.is_local and old)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                deleted.append(path)
    return deleted
