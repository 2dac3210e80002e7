from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accidents.configuration.paths import PROJECT_ROOT
from accidents.errors import ConfigurationError
from stacks.definition import find_stack_file, list_stack_files, read_stack_file
from stacks.variables import expand_variables
from tests.stacks.conftest import tracker

DATABASE = "${URI:-sqlite:///${PROJECT}/x.db}"


@pytest.mark.parametrize(
    ("text", "environment", "value"),
    [
        ("${A}", {"A": "1"}, "1"),
        ("x${A}y${B:-2}", {"A": "1"}, "x1y2"),
        ("${A:-}", {}, ""),
        ("${A:-2}", {"A": ""}, "2"),
        (DATABASE, {}, f"sqlite:///{PROJECT_ROOT}/x.db"),
        (DATABASE, {"URI": "http://there:5000"}, "http://there:5000"),
        ("${A:-${B:-3}}", {"B": "2"}, "2"),
        ("${A}", {"A": "${B} and $5"}, "${B} and $5"),
        ("{{secret.key}} $HOME", {}, "{{secret.key}} $HOME"),
        ({"a": {"b": ["${A}", 5]}, "left_out": "${B:-}"}, {"A": "1"}, {"a": {"b": ["1", 5]}}),
    ],
)
def test_variables_are_expanded(text: Any, environment: dict[str, str], value: Any) -> None:
    assert expand_variables(text, environment, "file: key") == value


@pytest.mark.parametrize("text", ["${A", "${A-b}", "${}", "${A:-${B:-${C:-${D}}}}", "${1}"])
def test_invalid_variables_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="file: key"):
        expand_variables(text, {"A": "1", "B": "2"}, "file: key")


def test_a_missing_variable_is_named_with_file_key_and_remedy(write: Callable[..., Path]) -> None:
    file = write(tracker(tracking_uri="${NOWHERE}"))
    with pytest.raises(ConfigurationError) as error:
        read_stack_file(file, {})
    for part in (str(file), "experiment_tracker.configuration.tracking_uri", "NOWHERE is not set", "export", ".env"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("components", "more", "named"),
    [
        ({}, {"colour": "red"}, "'colour' is not a key"),
        ({"experiment_tracker": {"flavor": "mlflow", "flavour": "x"}}, {}, "components.experiment_tracker.flavour"),
        ({"experiment_trackers": {"flavor": "mlflow"}}, {}, "experiment_trackers"),
        ({"experiment_tracker": {}}, {}, "'components.experiment_tracker.flavor' is missing"),
        ({"orchestrator": {"name": "default", "flavor": "local", "configuration": {"a": 1}}}, {}, "belongs to ZenML"),
        (tracker(tracking_uri="{{no.such}}"), {}, "{{no.such}}"),
        (tracker(tracking_uri="http://{{no.such}}@there"), {}, "only as the whole value of a key"),
        ({}, {"secrets": {"s": {"keys": {"k": "two words"}}}}, "secrets.s.keys.k"),
    ],
)
def test_invalid_content_is_named(
    write: Callable[..., Path], components: dict[str, Any], more: dict[str, Any], named: str
) -> None:
    file = write(components, **more)
    with pytest.raises(ConfigurationError) as error:
        read_stack_file(file, {})
    assert str(file) in str(error.value)
    assert named in str(error.value)
    assert "two words" not in str(error.value)


@pytest.mark.parametrize("content", ["", "- a", "a: [", "components: {orchestrator: {flavor: local}}"])
def test_an_invalid_file_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"broken\.yaml"):
        read_stack_file(file, {})


def test_the_default_stack_of_zenml_cannot_be_defined(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="belongs to ZenML"):
        read_stack_file(tmp_path / "default.yaml", {})


def test_files_are_found_by_name_and_unknown_names_list_the_existing_ones(tmp_path: Path) -> None:
    assert {"local", "local-mlflow"} <= list_stack_files().keys()
    assert find_stack_file(str(tmp_path / "own.yaml")) == tmp_path / "own.yaml"
    with pytest.raises(ConfigurationError, match="local, local-mlflow"):
        find_stack_file("nowhere")


def test_local_stacks_need_no_variable() -> None:
    read_stack_file(find_stack_file("local"), {})
    uri = (
        read_stack_file(find_stack_file("local-mlflow"), {})
        .components["experiment_tracker"]
        .configuration["tracking_uri"]
    )
    assert uri == f"sqlite:///{PROJECT_ROOT}/mlruns/mlflow.db"
    assert uri.startswith("sqlite:////")
