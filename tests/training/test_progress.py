"""Messages about a fit: a few seconds apart, with the time that is left."""

from collections.abc import Iterator

import numpy as np
import pytest

from accidents.models import model_class, model_types
from accidents.models.base import Dataset
from accidents.training.progress import fit_progress
from tests.training.conftest import quick


def test_messages_are_seconds_apart_and_say_what_is_left() -> None:
    seconds: Iterator[float] = iter([0.0, 1.0, 4.0, 6.0, 8.0, 12.0])
    lines: list[str] = []
    progress = fit_progress(lines.append, "trees", lambda: next(seconds))
    for done in (10, 20, 300, 400, 600):
        progress(done, 1200)
    assert lines == ["300 of 1,200 trees in 6 s, 18 s left", "600 of 1,200 trees in 12 s, 12 s left"]


@pytest.mark.parametrize("model_type", model_types())
def test_every_type_reports_its_steps(model_type: str) -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 4)).astype(np.float32)
    training = Dataset(X, (X[:, 0] + random.normal(size=400) > 0).astype(np.int8))
    model, steps = model_class(model_type), list[tuple[int, int]]()
    parameters = model.PARAMETERS.model_validate(quick().settings_of(model_type).parameters)
    model.fit(training, None, parameters=parameters, seed=0, threads=1, progress=lambda *step: steps.append(step))
    done, totals = zip(*steps, strict=True)
    assert list(done) == sorted(set(done))
    assert all(one <= total for one, total in steps)
    assert model_type == "logistic_regression" or steps[-1] == (totals[0], totals[0])
