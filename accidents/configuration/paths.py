"""Root folder of the project, and paths relative to it. Imports nothing heavy: `--help` must answer at once."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
"""Folder of the checkout: holds `configs/`, `examples/` and the packages, and by default `data/` and `models/`."""


def project_path(path: Path) -> Path:
    """A path of the project, relative only where the current folder is the project.

    Args:
        path: an absolute path, or one relative to the project.

    Example:
        >>> project_path(Path("/srv/models"))
        PosixPath('/srv/models')
        >>> project_path(Path("models")).resolve() == PROJECT_ROOT / "models"
        True
    """
    try:
        return path if Path.cwd() == PROJECT_ROOT else PROJECT_ROOT / path
    except OSError:  # the current folder was deleted
        return PROJECT_ROOT / path
