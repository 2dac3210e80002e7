from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accidents.errors import ConfigurationError
from tests.stacks.conftest import PASSWORD, tracker

pytestmark = [pytest.mark.slow, pytest.mark.traced]

URI = "sqlite:////tmp/one.db"
Made = Callable[..., dict[str, str]]
CREDENTIALS = {"tracking_username": "{{NAME.username}}", "tracking_password": "{{NAME.password}}"}


def secret_of(name: str, *, optional: bool = True) -> dict[str, Any]:
    return {"secrets": {name: {"optional": optional, "keys": {"username": "TEST_USER", "password": "TEST_PASSWORD"}}}}


def credentials(name: str) -> dict[str, str]:
    return {key: value.replace("NAME", name) for key, value in CREDENTIALS.items()}


def stored(name: str) -> dict[str, tuple[Any, ...]]:
    """Everything of the stack that could change: ids, times, configurations."""
    from zenml.client import Client

    stack = Client().get_stack(name, allow_name_prefix_match=False)
    models = [model for components in stack.components.values() for model in components]
    rows = {str(model.type): (model.id, model.updated, model.flavor_name, model.configuration) for model in models}
    return {"stack": (stack.id, stack.updated), **rows}


def default_stack() -> dict[str, tuple[Any, ...]]:
    return stored("default")


def test_a_second_registration_changes_nothing(name: str, made: Made) -> None:
    untouched = default_stack()
    first = made({"URI": URI}, tracker(tracking_uri="${URI}"))
    assert first["experiment_tracker"] == first["stack"] == "created"
    before = stored(name)
    assert set(made({"URI": URI}, tracker(tracking_uri="${URI}")).values()) == {"unchanged"}
    assert stored(name) == before
    assert default_stack() == untouched


def test_a_changed_environment_updates_the_component_in_place(name: str, made: Made) -> None:
    made({"URI": URI}, tracker(tracking_uri="${URI}"))
    before = stored(name)
    done = made({"URI": "sqlite:////tmp/two.db"}, tracker(tracking_uri="${URI}"))
    assert done == {
        "orchestrator": "unchanged",
        "artifact_store": "unchanged",
        "experiment_tracker": "updated",
        "stack": "unchanged",
    }
    after = stored(name)
    assert after["experiment_tracker"][0] == before["experiment_tracker"][0]
    assert after["experiment_tracker"][3] == {"tracking_uri": "sqlite:////tmp/two.db"}


def test_a_key_removed_from_the_file_is_removed_in_zenml(name: str, made: Made) -> None:
    made({}, tracker(tracking_uri=URI, experiment_name="one"))
    assert made({}, tracker(tracking_uri=URI))["experiment_tracker"] == "updated"
    assert stored(name)["experiment_tracker"][3] == {"tracking_uri": URI}


def test_components_are_added_and_removed_with_the_file(name: str, made: Made) -> None:
    from zenml.client import Client

    made({}, tracker(tracking_uri=URI))
    with_registry = {**tracker(tracking_uri=URI), "model_registry": {"flavor": "mlflow"}}
    assert made({}, with_registry)["stack"] == "updated"
    assert "model_registry" in stored(name)
    assert made({})["stack"] == "updated"
    assert stored(name).keys() == {"stack", "orchestrator", "artifact_store"}
    assert Client().list_stack_components(type="model_registry", name=name).total == 1, "nothing is deleted"


def test_a_component_of_another_name_replaces_the_old_one(name: str, made: Made) -> None:
    made({}, tracker(tracking_uri=URI))
    before = stored(name)["experiment_tracker"]
    named = {"experiment_tracker": {**tracker(tracking_uri=URI)["experiment_tracker"], "name": f"{name}-other"}}
    done = made({}, named)
    assert (done["experiment_tracker"], done["stack"]) == ("created", "updated")
    assert stored(name)["experiment_tracker"][0] != before[0]


def test_another_flavor_renames_the_old_component(name: str, made: Made) -> None:
    from zenml.client import Client

    made({}, {"orchestrator": {"flavor": "local"}})
    before = stored(name)["orchestrator"]
    done = made({}, {"orchestrator": {"flavor": "local_docker"}})
    assert (done["orchestrator"], done["stack"]) == ("updated", "updated")
    assert stored(name)["orchestrator"][2] == "local_docker"
    kept = Client().get_stack_component("orchestrator", before[0])
    assert (kept.flavor_name, kept.name) == ("local", f"{name}-local-{str(before[0])[:8]}")


def test_secrets_are_stored_in_zenml_alone(name: str, made: Made) -> None:
    from zenml.client import Client

    environment = {"TEST_USER": "me", "TEST_PASSWORD": PASSWORD}
    components = tracker(tracking_uri="http://127.0.0.1:1", **credentials(name))
    assert made(environment, components, **secret_of(name)).get("secret") == "created"
    assert stored(name)["experiment_tracker"][3]["tracking_password"] == f"{{{{{name}.password}}}}"
    assert Client().get_secret(name).secret_values == {"username": "me", "password": PASSWORD}
    assert made(environment, components, **secret_of(name)).get("secret") == "unchanged"
    assert made({**environment, "TEST_USER": "you"}, components, **secret_of(name)).get("secret") == "updated"
    without = made({}, components, **secret_of(name))
    assert set(without.values()) == {"unchanged"}, "who registers again need not know the secret"
    assert Client().get_secret(name).secret_values == {"username": "you", "password": PASSWORD}


def test_an_optional_secret_that_is_not_set_is_left_out(name: str, made: Made) -> None:
    done = made({}, tracker(tracking_uri=URI, **credentials(name)), **secret_of(name))
    assert "secret" not in done
    assert stored(name)["experiment_tracker"][3] == {"tracking_uri": URI}


def test_a_server_without_authentication_can_be_registered(name: str, made: Made) -> None:
    components = tracker(tracking_uri="http://127.0.0.1:1", **credentials(name))
    assert made({}, components, **secret_of(name))["stack"] == "created"
    assert set(made({}, components, **secret_of(name)).values()) == {"unchanged"}


@pytest.mark.parametrize(
    ("environment", "optional", "named"),
    [({}, False, "TEST_PASSWORD, TEST_USER"), ({"TEST_USER": "me"}, True, "not set: TEST_PASSWORD")],
)
def test_a_secret_that_is_not_set_is_named_and_nothing_is_created(
    name: str, made: Made, environment: dict[str, str], optional: bool, named: str
) -> None:
    from zenml.client import Client

    with pytest.raises(ConfigurationError, match=named):
        made(environment, tracker(tracking_uri=URI, **credentials(name)), **secret_of(name, optional=optional))
    assert Client().list_stacks(name=name).total == 0
    assert Client().list_stack_components(name=name).total == 0


@pytest.mark.parametrize(
    ("components", "named"),
    [
        (tracker(tracking_uri=URI, tracking_password=PASSWORD, tracking_username="me"), "tracking_password|_username"),
        (tracker(tracking_uri=f"http://me:{PASSWORD}@127.0.0.1:1"), "an address contains"),
        (tracker(tracking_url=URI), "tracking_url"),
        (tracker(tracking_uri=URI, nested=PASSWORD), "nested: Input should be a valid boolean"),
        ({"experiment_tracker": {"flavor": "pencil"}}, "no flavor 'pencil'"),
        ({"experiment_tracker": {"name": "default", "flavor": "mlflow"}}, "no experiment_tracker default"),
    ],
)
def test_invalid_configurations_are_refused_before_anything_is_created(
    name: str, made: Made, components: dict[str, Any], named: str
) -> None:
    from zenml.client import Client

    with pytest.raises(ConfigurationError, match=named) as error:
        made({}, {"orchestrator": {"flavor": "local"}, **components})
    assert f"{name}.yaml" in str(error.value)
    assert PASSWORD not in str(error.value)
    assert Client().list_stack_components(name=name).total == 0


def test_a_stack_file_outside_of_the_folder_can_be_registered(
    project: Path, write: Callable[..., Path], name: str
) -> None:
    from cli.main import main

    assert main(["stack", "register", str(write())]) == 0
    assert stored(name)
