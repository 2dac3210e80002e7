"""Environment variables in stack files: `${NAME}` and `${NAME:-default}`.

A default may contain one more variable: `${URI:-sqlite:///${PROJECT}/x.db}`. As in a shell, an empty variable counts as
not set. `${PROJECT}`, the folder of the project, is always defined. Values are not expanded again.
"""

import re
from collections.abc import Mapping
from typing import Any

from accidents.configuration.paths import PROJECT_ROOT
from accidents.errors import ConfigurationError

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(?::-((?:[^${}]|\$\{[^${}]*\})*))?\}")


class UnsetVariableError(ConfigurationError):
    """A stack file needs a variable that is not set."""


def expand_variables(value: Any, environment: Mapping[str, str], place: str) -> Any:
    """Expand the variables in a value from YAML, in mappings and lists in every value.

    Args:
        value: string, mapping or list; other values are returned unchanged.
        environment: environment variables; `PROJECT` is added.
        place: file and key, for error messages.

    Returns:
        The expanded value, without mapping keys whose string has become empty.

    Raises:
        UnsetVariableError: a variable without a default is not set.
        ConfigurationError: `${` does not begin a variable.

    >>> expand_variables({"path": "${BUCKET}/runs", "url": "${ENDPOINT:-}"}, {"BUCKET": "s3://roads"}, "x.yaml")
    {'path': 's3://roads/runs'}
    """
    if isinstance(value, Mapping):
        expanded = {key: expand_variables(part, environment, f"{place}.{key}") for key, part in value.items()}
        return {key: part for key, part in expanded.items() if part != "" or value[key] == ""}
    if isinstance(value, list):
        return [expand_variables(part, environment, place) for part in value]
    if not isinstance(value, str):
        return value
    return _expand_text(value, {"PROJECT": str(PROJECT_ROOT), **environment}, place)


def _expand_text(text: str, environment: Mapping[str, str], place: str) -> str:
    def replace(match: re.Match[str]) -> str:
        name, default = match.groups()
        if environment.get(name):
            return environment[name]
        if default is None:
            raise UnsetVariableError(
                f"{place}: the variable {name} is not set; export {name}=... or write it in .env, "
                f"or give it a default in the file: ${{{name}:-...}}"
            )
        return _expand_text(default, environment, place)

    if "${" in _VARIABLE.sub("", text):
        raise ConfigurationError(f"{place}: {text!r} contains ${{ that is neither ${{NAME}} nor ${{NAME:-default}}")
    return _VARIABLE.sub(replace, text)
