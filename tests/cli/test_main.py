"""How commands end: exit codes, messages in place of tracebacks, and `--debug`."""

import click
import pytest

from accidents.errors import ConfigurationError, RequestError
from cli.exit_codes import FAILED, INTERRUPTED, USAGE_ERROR
from cli.main import main

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
