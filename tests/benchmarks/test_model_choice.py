"""Rules that choose the proposed model: tables from stored predictions, without training."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from accidents.models import display_name, model_types
from benchmarks.model_choice import main


def test_stored_predictions_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last type knows the true probabilities, the others less; one of them has the best F1 by its threshold."""
    *others, best = model_types()
    for seed in range(2):
        random = np.random.default_rng(seed)
        truth = random.uniform(0.05, 0.95, 4_000)
        label = (random.random(4_000) < truth).astype(np.int8)
        for name in model_types():
            known = truth if name == best else (truth + random.normal(0, 0.3, 4_000)).clip(0.02, 0.98)
            predictions = pd.DataFrame({"label": label, "probability": known})
            predictions["subset"] = np.repeat(["validation", "test"], 2_000)
            predictions["threshold"] = 0.4 if name == others[0] else 0.999
            predictions.to_parquet(tmp_path / f"{name}-{seed}.parquet")
    monkeypatch.setattr(sys, "argv", ["model_choice", "--seeds", "2", "--keep", str(tmp_path)])
    main()
    lines = capsys.readouterr().out.splitlines()
    (model,) = [line for line in lines if line.startswith(f"| {display_name(best)} |")]
    assert model.endswith("| 0.0000 | 100% |")
    (f1,) = [line for line in lines if line.startswith("| F1 |")]
    assert f1.startswith("| F1 | 0% |")
    assert f1.endswith(f"| {display_name(others[0])} 2 |")
    rules = [line for line in lines if line.startswith(("| log loss", "| ROC-AUC |", "| Brier score"))]
    assert len(rules) == 4
    assert all("| 100% | 0.0000 | 0.0000 |" in line and display_name(best) in line for line in rules)
