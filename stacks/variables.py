"""Values of a stack file that come from the environment: `${NAME}` and `${NAME:-default}`.

A default may hold one more variable: `${URI:-sqlite:///${PROJECT}/x.db}`. As in a shell a variable that is empty counts
as not set. `${PROJECT}`, the folder of the project, is always there. Values that come in are not read for variables.
"""

import re
from collections.abc import Mapping
from typing import Any

from accidents.configuration.paths import PROJECT_ROOT
from accidents.errors import ConfigurationError

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(?::-((?:[^${}]|\$\{[^${}]*\})*))?\}")


def expand_variables(value: Any, environment: Mapping[str, str], place: str) -> Any:
    """Put the environment into a value from YAML; in mappings and lists into every value.

    Args:
        value: text, or anything else that YAML holds; what is neither text, mapping nor list stays as it is.
        environment: the variables; `PROJECT` need not be among them.
        place: file and key, for the message of an error.

    Returns:
        The value; keys of mappings whose text came out empty are left out.

    Raises:
        ConfigurationError: a variable without a default is not set, or a `${` is no variable.
    """
    if isinstance(value, Mapping):
        expanded = {key: expand_variables(part, environment, f"{place}.{key}") for key, part in value.items()}
        return {key: part for key, part in expanded.items() if part != "" or value[key] == ""}
    if isinstance(value, list):
        return [expand_variables(part, environment, place) for part in value]
    return (
        _expand_text(value, {"PROJECT": str(PROJECT_ROOT), **environment}, place) if isinstance(value, str) else value
    )


def _expand_text(text: str, environment: Mapping[str, str], place: str) -> str:
    def found(match: re.Match[str]) -> str:
        name, default = match.groups()
        if environment.get(name):
            return environment[name]
        if default is None:
            raise ConfigurationError(
                f"{place}: the variable {name} is not set; export {name}=... or write it in .env, "
                f"or give it a default in the file: ${{{name}:-...}}"
            )
        return _expand_text(default, environment, place)

    if "${" in _VARIABLE.sub("", text):
        raise ConfigurationError(f"{place}: {text!r} holds a ${{ that is no ${{NAME}} and no ${{NAME:-default}}")
    return _VARIABLE.sub(found, text)
