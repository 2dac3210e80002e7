"""Stack files for the tests; ZenML is the isolated one of `tests.conftest`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from stacks.definition import StackDefinition, read_stack_file
from stacks.registration import register_stack

LOCAL = {
    "orchestrator": {"name": "default", "flavor": "local"},
    "artifact_store": {"name": "default", "flavor": "local"},
}
PASSWORD = "correct-horse-battery"  # noqa: S105  # of a fake server


@pytest.fixture
def name() -> str:
    """A stack name that no other test uses."""
    return f"stack-{uuid4().hex[:8]}"


@pytest.fixture
def write(tmp_path: Path, name: str) -> Callable[..., Path]:
    """Writes a stack file with the local components and those given; returns it."""

    def file(components: dict[str, Any] | None = None, **more: Any) -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"components": {**LOCAL, **(components or {})}, **more}))
        return path

    return file


@pytest.fixture
def made(write: Callable[..., Path]) -> Callable[..., dict[str, str]]:
    """Writes and registers a stack; returns what was done, by kind."""

    def done(environment: dict[str, str], components: dict[str, Any] | None = None, **more: Any) -> dict[str, str]:
        definition: StackDefinition = read_stack_file(write(components, **more), environment)
        return {outcome.kind: outcome.result for outcome in register_stack(definition, environment)}

    return done


@pytest.fixture
def active_stack_stays() -> Iterator[None]:
    """Puts the active stack back."""
    from zenml.client import Client

    before = Client().active_stack_model.id
    yield
    Client().activate_stack(before)


def tracker(**configuration: str) -> dict[str, Any]:
    """An MLflow experiment tracker with this configuration."""
    return {"experiment_tracker": {"flavor": "mlflow", "configuration": configuration}}
