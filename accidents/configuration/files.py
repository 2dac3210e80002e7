"""YAML files that hold settings, read with an error that names the file and the remedy."""

from pathlib import Path
from typing import Any

import yaml

from accidents.errors import ConfigurationError


def read_keys(file: Path, like: str) -> dict[str, Any]:
    """The keys and values of a YAML file; `like` names what to compare it with.

    Raises:
        ConfigurationError: it cannot be read, is no YAML, or holds no keys.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: holds no keys; compare it with {like}")
    return content
