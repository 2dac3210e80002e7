"""A training in a process of its own gives the result of one in this process, and passes messages and errors on."""

import os
import subprocess
import sys

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.errors import ModelError
from accidents.training import own_process, train, with_wait_policy
from accidents.training.final_model import fit_final_model
from tests.conftest import PROJECT
from tests.training.conftest import Frames, quick

pytestmark = pytest.mark.slow

LATE = """
import os
import lightgbm
from accidents.configuration.environment import load_environment, wait_policy_is_late
load_environment()
load_environment()
print(wait_policy_is_late(), os.environ["OMP_WAIT_POLICY"])
"""


@pytest.mark.parametrize(
    ("code", "policy", "expected"),
    [
        (LATE, None, "True PASSIVE"),
        (LATE, "ACTIVE", "False ACTIVE"),
        (LATE.replace("import lightgbm\n", ""), None, "False PASSIVE"),
        (f"import pipelines\n{LATE}", None, "False PASSIVE"),
    ],
)
def test_the_policy_is_late_where_lightgbm_was_imported_without_it(
    code: str, policy: str | None, expected: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": policy} if policy else {}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == expected


def test_both_processes_fit_the_same_models(frames: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = train("lightgbm", *frames, quick(), level="call")
    fit_final = (fit_final_model, expected.bundle, *frames, quick())
    final = with_wait_policy(*fit_final, difference_at_most=1)
    monkeypatch.setattr(own_process, "wait_policy_is_late", lambda: True)
    messages: list[str] = []
    result = with_wait_policy(train, "lightgbm", *frames, quick(), level="call", progress=messages.append)
    assert messages[0].startswith("training ")
    assert result.bundle.metrics == expected.bundle.metrics
    np.testing.assert_array_equal(result.predictions["probability"], expected.predictions["probability"])
    messages.clear()
    again = with_wait_policy(*fit_final, difference_at_most=1, progress=messages.append)
    assert again.prediction_digest() == final.prediction_digest()
    assert len(messages) == 1
    few = tuple(frame.head(40) for frame in frames)
    with pytest.raises(ModelError, match="use more data or another split"):
        with_wait_policy(train, "lightgbm", *few, quick(), level="call")


def test_a_process_that_was_killed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_process, "wait_policy_is_late", lambda: True)
    with pytest.raises(ModelError, match=r"ended with 3; is there memory enough\?"):
        with_wait_policy(_exit, 3)


def _exit(code: int, progress: object) -> Bundle:
    os._exit(code)
