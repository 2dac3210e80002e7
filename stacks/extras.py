"""Packages that the flavors of a stack need, and the extra of the project that holds them."""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement
from zenml.integrations.registry import integration_registry

from accidents.configuration.paths import PROJECT_ROOT

EXTRAS = ("s3", "kubernetes", "aws", "gcp", "azure")
"""ZenML integrations for which the project has an extra of the same name."""

_IN_LOCK = ("s3", "kubernetes")
"""Extras that `requirements.lock` holds; the others have a lock and an environment of their own."""


def missing_packages(integration: str) -> Iterator[str]:
    """What is wrong with each package of an integration, with the command that mends it; flavors of ZenML need none."""
    for requirement in _requirements(integration):
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            yield f"{requirement.name} is not installed; {_remedy(integration, requirement)}"
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"{requirement.name} {installed} is installed; {_remedy(integration, requirement)}"


def _requirements(integration: str) -> list[Requirement]:
    if integration in EXTRAS:
        return [Requirement(text) for text in _project_extras()[integration]]
    if integration in integration_registry.integrations:
        return [Requirement(text) for text in integration_registry.integrations[integration].get_requirements()]
    return []


def _remedy(integration: str, requirement: Requirement) -> str:
    if integration not in EXTRAS:
        return f"pip install '{requirement}'"
    options = "" if integration in _IN_LOCK else f" VENV=.venv-{integration} LOCK=requirements-{integration}.lock"
    return f"it belongs to the extra [{integration}]: make install{options}"


@cache
def _project_extras() -> dict[str, list[str]]:
    content = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras: dict[str, list[str]] = content["project"]["optional-dependencies"]
    return extras
