"""Reads YAML files of settings; errors name the file and the remedy."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from accidents.errors import ConfigurationError


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe loader that rejects duplicate keys, of which PyYAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key '{key.value}'", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(file: Path, example: str) -> dict[str, Any]:
    """Read a YAML file whose root is a mapping.

    Args:
        file: the file.
        example: a valid file of the kind, named in the error message.

    Raises:
        ConfigurationError: it cannot be read, is no YAML, or holds no keys.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _UniqueKeyLoader)  # noqa: S506  # a safe one
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigurationError(f"{file}{line}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: holds no keys; compare it with {example}")
    return content
