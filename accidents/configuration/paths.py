"""Root folder of the project, and paths that are relative to it."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

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
    return path if _in_project() else PROJECT_ROOT / path


def _in_project() -> bool:
    try:
        return Path.cwd() == PROJECT_ROOT
    except OSError:  # the current folder was deleted
        return False


def _expand_home(value: Any) -> Any:
    """`~/models` in a YAML file is a folder of the user's home."""
    try:
        return Path(value).expanduser() if isinstance(value, str) else value
    except RuntimeError:
        raise ValueError("the home folder of ~ cannot be determined") from None


def _relative_to_project(path: Path) -> str:
    return str(path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path)


ProjectPath = Annotated[
    Path, BeforeValidator(_expand_home), AfterValidator(project_path), PlainSerializer(_relative_to_project)
]
"""A path of the configuration: a relative one lies in the project, wherever a command is started. It is serialised
relative to the project, so that cache keys do not depend on the current folder."""
