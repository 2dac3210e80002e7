"""The benchmark of drift finds what it puts in, and goes on where it was interrupted."""

from pathlib import Path

import numpy as np
import pytest

from accidents.configuration.monitoring import MonitoringSettings
from benchmarks.drift.__main__ import measure
from benchmarks.drift.windows import Group
from tests.monitoring.monitored import monitored_model, whole_window

pytestmark = pytest.mark.slow


def test_effects_are_found_and_a_later_call_goes_on(tmp_path: Path) -> None:
    reference, results, made = monitored_model().reference, tmp_path / "results.jsonl", list[int]()
    assert reference is not None
    rows = np.random.default_rng(0).permutation(len(whole_window().days))[:1000]

    def group() -> Group:
        made.append(len(made))
        return Group(reference, whole_window(), (rows,))

    settings = MonitoringSettings(accidents_at_least=50)
    (first,) = measure([group], "sample", 0, settings, results)
    assert first["windows"] == 1
    assert first["found"]["a column never recorded"][1000] == 1
    assert first["found"]["callers know half as much"][1000] == 1
    assert first["found"]["nothing (false alarms)"][1000] == 0
    both = measure([group, group], "sample", 0, settings, results)
    assert [line["group"] for line in both] == [0, 1]
    assert len(made) == 2
    assert len(measure([group], "sample", 1, settings, results)) == 1  # another seed
    assert len(made) == 3
    assert len(results.read_text().splitlines()) == 3
