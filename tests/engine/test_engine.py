"""Engines without a cluster: the local one, settings, errors, and fits that are started again."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from accidents.configuration.engine import EngineSettings
from accidents.configuration.loading import load_configuration
from accidents.engine import LOCAL, RESTARTS, EngineError, WorkerLostError, connect, connection
from accidents.engine.local import LocalEngine
from accidents.errors import ConfigurationError
from accidents.features import feature_frame
from accidents.models import model_class
from accidents.models.base import Dataset
from accidents.training.joint_fit import fit_on
from cli.main import main
from tests.engine.clusters import add
from tests.trained import small_year


def test_the_local_engine_calls_when_a_result_is_requested() -> None:
    taken: list[int] = []
    results = LOCAL.map(add, (taken.append(number) or number for number in range(5)), 10)
    assert next(results) == 10
    assert taken == [0]
    assert [*results] == [11, 12, 13, 14]


def test_the_local_engine_passes_progress_on() -> None:
    messages: list[str] = []
    assert [*LOCAL.map(add, [1, 2], 0, progress=messages.append)] == [1, 2]
    assert LOCAL.run(add, 3, 0, progress=messages.append) == 3
    assert messages == ["got 1", "got 2", "got 3"]


def test_local_is_the_default() -> None:
    settings = load_configuration().engine
    assert settings == EngineSettings()
    with connect(settings) as engine:
        assert engine is LOCAL


def test_an_address_has_a_scheme() -> None:
    with pytest.raises(ConfigurationError, match=r"^--engine-address = '10\.0\.0\.5:8786'"):
        load_configuration(overrides={"engine.address": "10.0.0.5:8786"}, names={"engine.address": "--engine-address"})


def test_without_the_extra_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "find_spec", lambda _: None)
    assert main(["--features", "--engine", "dask"]) == 2
    assert "needs the extra dask: pip install '.[dask]'" in capsys.readouterr().err


@pytest.mark.parametrize("size", [7, 99, 1000])
def test_features_of_partitions_are_those_of_the_whole(size: int) -> None:
    accidents, features = small_year()
    whole = next(accidents.partitions(300))
    parts = [*whole.partitions(size)]
    assert all(len(part.accidents) <= size for part in parts)
    frames = pd.concat([feature_frame(part) for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(frames, features.iloc[:300], check_exact=True)
    people = pd.concat([part.people for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(people, whole.people)


class TwoWorkers(LocalEngine):
    """An engine that loses a worker in its first calls."""

    workers: Sequence[str] = ("127.0.0.1", "127.0.0.1")
    threads = 1

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.messages: list[str] = []

    def call_together(self, *_: Any) -> Any:
        if self.losses:
            self.losses -= 1
            raise WorkerLostError("a worker was lost")
        self.workers = ()  # one is left
        raise WorkerLostError("a worker was lost")

    def report(self, message: str) -> None:
        self.messages.append(message)


def _fit(engine: LocalEngine) -> Any:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3)).astype(np.float32)
    own = model_class("lightgbm")
    parameters = own.PARAMETERS.model_validate({"rounds": 5})
    data = Dataset(X, (X[:, 0] > 0).astype(np.int8))
    return fit_on(engine, own, data, None, report=print, parameters=parameters, seed=0, threads=1)


def test_a_fit_that_loses_a_worker_is_started_again_and_says_so() -> None:
    engine = TwoWorkers(RESTARTS - 1)
    assert _fit(engine).to_sections() == _fit(LOCAL).to_sections()
    assert engine.messages[0] == "a worker was lost: the fit is started again (1 of at most 3 times)"
    assert engine.messages[-1] == "fitting in the one worker that is left"
    assert len(engine.messages) == RESTARTS + 1


def test_a_fit_is_started_again_three_times_at_most() -> None:
    engine = TwoWorkers(99)
    with pytest.raises(EngineError, match="lost a worker 4 times"):
        _fit(engine)
    assert len(engine.messages) == RESTARTS
