"""Type of the paths in the configuration: a relative one lies in the project."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from accidents.configuration.paths import PROJECT_ROOT, project_path


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
