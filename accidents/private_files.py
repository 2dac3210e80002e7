"""Files and folders for their owner alone: those that hold secrets or personal data.

They are created with their mode, whatever the umask is, so that there is no moment in which others can open them.
"""

import os
import shlex
import stat
from pathlib import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def create_private_folder(folder: Path) -> None:
    """Create a folder for its owner alone, and the folders above it as usual; an existing one stays as it is.

    Raises:
        OSError: it cannot be created.
    """
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def create_private_file(file: Path) -> int:
    """Create a file for its owner alone.

    Returns:
        The file descriptor, open for writing.

    Raises:
        FileExistsError: there is a file already.
        OSError: it cannot be created.
    """
    return os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)


def is_exposed(path: Path) -> bool:
    """Whether the mode of a file or folder gives other users any permission; False where nothing is there."""
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def make_private(path: Path) -> None:
    """Take all permissions on a file or folder of this user from others; those of other users stay as they are.

    It never opens the file: closing it would release the locks that SQLite holds in this process.
    """
    try:
        status = path.stat()
        if status.st_mode & _OTHERS and status.st_uid == os.geteuid():
            path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)
    except OSError:  # gone meanwhile, or on a file system without modes
        return


def chmod_command(path: Path) -> str:
    """The command with which its owner makes a file or folder private."""
    return f"chmod {PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE:o} {shlex.quote(str(path))}"
