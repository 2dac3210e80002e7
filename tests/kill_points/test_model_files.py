"""Commands that write model files and stacks, killed at random moments."""

import numpy as np
import pytest

from accidents.bundle import Bundle
from tests.bundle.test_legacy import old_file
from tests.kill_points.harness import Commands, kill_again_and_again
from tests.kill_points.leftovers import temporary_files
from tests.trained import small_models

pytestmark = pytest.mark.long


def test_killed_conversions_leave_a_whole_file_or_none(request: pytest.FixtureRequest, commands: Commands) -> None:
    with pytest.MonkeyPatch.context() as patch:
        content = old_file(small_models()["lightgbm"].trained.bundle, patch)
    old, new = commands.folder / "lightgbm_model.joblib", commands.folder / "lightgbm_model.zip"
    old.write_bytes(content)
    commands.run("convert", str(old))
    expected = new.read_bytes()

    def attempt(random: np.random.Generator) -> bool:
        new.unlink()
        ended = commands.kill(random, "convert", str(old))
        if not new.exists():
            commands.run("convert", str(old))
        assert new.read_bytes() == expected
        assert Bundle.load(new).model_type == "lightgbm"
        assert old.read_bytes() == content
        assert temporary_files(commands.folder) == []
        return ended.was_killed

    kill_again_and_again(request, "convert", 10, attempt)


def test_killed_registrations_of_a_stack_are_completed_by_the_next(
    request: pytest.FixtureRequest, commands: Commands
) -> None:
    from zenml.client import Client

    register = ("stack", "register", "local-mlflow")
    commands.run(*register)

    def attempt(random: np.random.Generator) -> bool:
        stack = Client().get_stack("local-mlflow")
        Client().delete_stack(stack.id)
        for components in stack.components.values():
            for component in components:
                if component.name != "default":
                    Client().delete_stack_component(component.id, component.type)
        ended = commands.kill(random, *register)
        commands.run(*register)
        described = Client().get_stack("local-mlflow")
        assert {kind: [one.name for one in ones] for kind, ones in described.components.items()} == {
            kind: [one.name for one in ones] for kind, ones in stack.components.items()
        }
        commands.run("stack", "describe", "local-mlflow")
        return ended.was_killed

    kill_again_and_again(request, "stack", 10, attempt)
