"""How commands end: exit codes, messages in place of tracebacks, and `--debug`."""

import errno
import os
import subprocess
import sys

import click
import pytest

from accidents.errors import ConfigurationError, RequestError, storage_fault
from cli.exit_codes import FAILED, INTERRUPTED, USAGE_ERROR
from cli.main import main
from tests.conftest import PROJECT

WRONG_CONFIGURATION = ("--training", "--config", "nowhere.yaml")
WRONG_REQUEST = ("--predict", "nowhere.json")
WRONG_CONFIGURATION_OF_A_COMMAND = ("keys", "list", "--config", "nowhere.yaml")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (WRONG_REQUEST, FAILED),
        (WRONG_CONFIGURATION, USAGE_ERROR),
        (WRONG_CONFIGURATION_OF_A_COMMAND, USAGE_ERROR),
    ],
)
def test_an_error_is_a_message_and_an_exit_code(
    arguments: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {arguments[-1]}: cannot be read")
    assert captured.out == ""


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (WRONG_REQUEST, RequestError),
        (WRONG_CONFIGURATION, ConfigurationError),
        (WRONG_CONFIGURATION_OF_A_COMMAND, ConfigurationError),
    ],
)
def test_debug_lets_the_exception_pass(arguments: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        main([*arguments, "--debug"])


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_one_message(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number), "/srv/read-only")

    monkeypatch.setattr("cli.predict.predict", fail)
    assert main(WRONG_REQUEST) == FAILED
    fault = storage_fault(os.strerror(number))
    assert capsys.readouterr().err == f"error: /srv/read-only: {fault}, and run it again\n"
    with pytest.raises(OSError, match="read-only"):
        main([*WRONG_REQUEST, "--debug"])


def test_an_output_that_cannot_encode_a_character_replaces_it() -> None:
    command = [sys.executable, "run.py", "--predict", "véhicule….json"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=False)
    assert done.returncode == FAILED
    assert done.stderr.startswith(b"error: v?hicule?.json: cannot be read"), done.stderr


def test_debug_in_front_of_a_command_counts_for_it() -> None:
    with pytest.raises(ConfigurationError):
        main(["registry", "--debug", "--config", "nowhere.yaml", "list-models"])


@pytest.mark.parametrize("exception", [KeyboardInterrupt, click.Abort])
def test_an_interrupted_command_has_an_exit_code_of_its_own(
    exception: type[BaseException], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> int:
        raise exception

    monkeypatch.setattr("cli.predict.predict", interrupt)
    assert main(WRONG_REQUEST) == INTERRUPTED
    assert capsys.readouterr().err.strip() == "interrupted"
