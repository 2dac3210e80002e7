"""Summary of a training: which model is proposed, and why it need not be the first row."""

from pathlib import Path

import pandas as pd
import pytest

from cli.run_summaries import print_comparison

COMPARISON = pd.DataFrame(
    {
        "model_type": ["random_forest", "xgboost", "lightgbm"],
        **dict.fromkeys(("accuracy", "precision", "recall", "f1_score", "roc_auc"), 0.7),
        "validation_log_loss": [0.46, 0.44, 0.441],
        "best_cv_score": float("nan"),
        "fit_seconds": 1.0,
    }
)


@pytest.mark.parametrize(
    ("best", "reason"),
    [
        ("xgboost", "best      XGBoost: lowest log loss on the validation set;"),
        ("lightgbm", "best      LightGBM: preferred of models that tie with the lowest log loss"),
    ],
)
def test_the_proposed_model_and_the_first_row(best: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_comparison(COMPARISON, best, Path("models"), Path("reports"))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(reason) and line.endswith("--predict uses it") for line in lines)
    assert sum("need not be the first row" in line for line in lines) == 1
