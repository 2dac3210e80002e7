import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cli.main import main as run
from cli.zenml_session import prepare_zenml
from stacks.validation import REDACTED
from tests.stacks.conftest import PASSWORD, tracker

pytestmark = [pytest.mark.slow, pytest.mark.traced]

Made = Callable[..., dict[str, str]]


def main(arguments: Sequence[str]) -> int:
    return run(["stack", *arguments])


@pytest.fixture
def stack_with_secrets(name: str, made: Made) -> str:
    """A registered stack with a secret, and with a password in plain text that somebody else put there."""
    from zenml.client import Client

    references = {"tracking_username": f"{{{{{name}.user}}}}", "tracking_password": f"{{{{{name}.word}}}}"}
    secrets = {name: {"keys": {"user": "TEST_USER", "word": "TEST_WORD"}}}
    given = {"TEST_USER": "me", "TEST_WORD": PASSWORD}
    made(given, tracker(tracking_uri="http://127.0.0.1:1", **references), secrets=secrets)
    Client().update_stack_component(
        name,
        "experiment_tracker",
        configuration={"tracking_password": PASSWORD, "tracking_uri": f"http://me:{PASSWORD}@127.0.0.1:1"},
    )
    return name


@pytest.mark.parametrize("command", ["list", "describe", "check"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_never_show(
    stack_with_secrets: str, command: str, form: tuple[str, ...], capfd: pytest.CaptureFixture
) -> None:
    named = () if command == "list" else (stack_with_secrets,)
    assert main([command, *named, *form]) == (1 if command == "check" else 0)
    out, err = capfd.readouterr()
    assert stack_with_secrets in out
    assert PASSWORD not in out + err
    if command == "describe":
        assert f"{{{{{stack_with_secrets}.user}}}}" in out


def test_list_has_registered_defined_and_active_stacks(name: str, made: Made, capsys: pytest.CaptureFixture) -> None:
    from zenml.client import Client

    made({})
    assert main(["list", "--json"]) == 0
    stacks = {stack["name"]: stack for stack in json.loads(capsys.readouterr().out)}
    assert stacks[name]["registered"]
    assert stacks[name]["components"]["orchestrator"] == "default (local)"
    assert stacks["local"]["file"] == "stacks/local.yaml"
    assert [stack["name"] for stack in stacks.values() if stack["active"]] == [Client().active_stack_model.name]


def test_register_prints_what_it_did(capsys: pytest.CaptureFixture) -> None:
    assert main(["register", "--all"]) == 0
    assert "aws\n  not registered: " in capsys.readouterr().out
    assert main(["register", "local", "local-mlflow"]) == 0
    out = capsys.readouterr().out
    assert "unchanged" in out
    assert "created" not in out
    assert "updated" not in out


def test_describe_gives_the_whole_stack_as_json(name: str, made: Made, capsys: pytest.CaptureFixture) -> None:
    made({}, tracker(tracking_uri="sqlite:////tmp/x.db"))
    assert main(["describe", name, "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert not described["active"]
    assert {
        "type": "experiment_tracker",
        "name": name,
        "flavor": "mlflow",
        "configuration": {"tracking_uri": "sqlite:////tmp/x.db"},
    } in described["components"]


def test_configuration_of_a_flavor_that_is_not_installed_is_redacted(
    name: str, made: Made, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenml.stack import Flavor

    def missing(model: object) -> None:
        raise ImportError("not installed here")

    made({}, tracker(tracking_uri="sqlite:////tmp/x.db"))
    monkeypatch.setattr(Flavor, "from_model", missing)
    assert main(["describe", name, "--json"]) == 0
    shown = {one["type"]: one["configuration"] for one in json.loads(capsys.readouterr().out)["components"]}
    assert shown["experiment_tracker"] == {"tracking_uri": REDACTED}


def test_the_exit_code_of_check_is_1_if_a_component_fails(name: str, made: Made, capsys: pytest.CaptureFixture) -> None:
    made({})
    assert main(["check", name]) == 0
    made({}, tracker(tracking_uri="http://127.0.0.1:1"))
    capsys.readouterr()
    assert main(["check", name, "--json"]) == 1
    answers = {answer["kind"]: answer["ok"] for answer in json.loads(capsys.readouterr().out)["answers"]}
    assert answers == {"orchestrator": True, "artifact_store": True, "experiment_tracker": False}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("set", "nowhere"), "there are default"),
        (("describe", "nowhere"), "there are default"),
        (("check", "nowhere"), "there are default"),
        (("register", "nowhere"), "local, local-mlflow"),
        (("register", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
    ],
)
def test_an_unknown_name_is_refused_with_the_existing_ones(
    arguments: tuple[str, ...], named: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(arguments) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("register",), ("register", "local", "--all"), ("fetch",)])
def test_a_wrong_command_line_is_refused(arguments: tuple[str, ...]) -> None:
    assert main(arguments) == 2


@pytest.mark.usefixtures("active_stack_stays")
def test_set_persists_like_zenml_stack_set(name: str, made: Made) -> None:
    made({})
    assert main(["set", name]) == 0
    code = "from zenml.client import Client; print(Client().active_stack_model.name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == name


def test_a_stack_for_one_run_must_be_registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from accidents.errors import ConfigurationError

    (tmp_path / "later.yaml").touch()
    monkeypatch.setattr("stacks.description.list_stack_files", lambda *_: {"later": tmp_path / "later.yaml"})
    with pytest.raises(ConfigurationError, match=r"python run\.py stack register later"):
        prepare_zenml("later", debug=True)
    with pytest.raises(ConfigurationError, match="there are default"):
        prepare_zenml("nowhere", debug=True)


@pytest.mark.long
def test_a_stack_for_one_run_leaves_the_active_one_even_if_the_run_is_killed(
    project: Path, name: str, made: Made
) -> None:
    """The pipelines are imported after the choice, and a step sees it; then the process dies without a goodbye."""
    from zenml.client import Client

    made({})
    before = Client().active_stack_model.name
    code = f"""
import os, signal, sys
from cli.zenml_session import prepare_zenml
assert not [module for module in sys.modules if module.startswith(("pipelines", "steps", "zenml"))]
print(prepare_zenml({name!r}, debug=False))
from zenml import pipeline, step
from zenml.client import Client
import pipelines.ingestion
print(Client().active_stack_model.name, Client().active_stack.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, env={**os.environ})
    assert done.returncode == -9, done.stderr
    assert done.stdout.split()[-3:] == [name, name, name]
    code = "from zenml.client import Client; print(Client().active_stack_model.name)"
    after = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert after.stdout.split()[-1] == before != name
