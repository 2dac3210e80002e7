"""What is printed at the end of a run: tables a person can read, and where to look next."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Column, Table

from accidents.columns import ATTRIBUTION
from accidents.columns import Table as BaacTable
from accidents.models import display_name

_COLUMNS = ("accuracy", "precision", "recall", "f1_score", "roc_auc", "best_cv_score", "fit_seconds")
_WENT = ("in", "= out", "+ quarantined", "+ not chosen")
_DATA_FILES = "data      {folder}/validation_report.csv, {folder}/quarantine.csv, {folder}/expectations.html"
_METRICS = ("roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy", "brier", "ece")


def print_comparison(comparison: pd.DataFrame, best: str, models: Path, reports: Path) -> None:
    """Print the models, ranked by F1 on the test part, which was chosen, and the files to look at."""
    table = Table("model", *(name.replace("_", " ") for name in _COLUMNS))
    for row in comparison.to_dict("records"):
        figures = (
            "" if pd.isna(row[name]) else f"{row[name]:.{1 if name == 'fit_seconds' else 3}f}" for name in _COLUMNS
        )
        table.add_row(display_name(row["model_type"]), *figures)
    _console().print(table)
    _console().print(
        f"best      {display_name(best)}: best F1 on the validation set; --predict uses it\n"
        f"models    {models}/<type>_model.joblib\n"
        f"figures   {reports}/metrics/model_comparison.csv\n"
        f"report    {reports}/comparison.html, {reports}/best_model.html, {reports}/model_card.md\n"
        f"{_DATA_FILES.format(folder=reports / 'ingestion')}\n"
        f"next      python run.py --predict examples/low_risk.json"
    )


def print_evaluation(evaluation: Mapping[str, Any], folder: Path) -> None:
    """Print the metrics with their intervals, and the files to look at."""
    table = Table("metric", "value", f"{evaluation['confidence']:.0%} interval")
    for name in _METRICS:
        interval = evaluation["intervals"].get(name)
        value = evaluation[name]
        table.add_row(
            name,
            "" if value is None else f"{value:.3f}",
            f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "",
        )
    _console().print(table)
    new, all_of_them = evaluation["n"], evaluation["labelled"]
    _console().print(f"{new:,} accidents, {evaluation['prevalence']:.3f} of them priority")
    if left_out := all_of_them - new:
        _console().print(f"left out  {left_out:,} further accidents that the model was trained with")
    _console().print(f"report    {folder}/report.html\nfigures   {folder}/metrics.json")


def print_ingestion(report: pd.DataFrame, counts: Mapping[str, Any], folder: Path) -> None:
    """Print what was found in the files, what was done about it, how many rows there are, and the files to look at."""
    table = Table("file", "column", "check", "rows", "share", "action", title="findings")
    for row in report.to_dict("records"):
        share = f"{row['share']:.2%}" if pd.notna(row["share"]) else ""
        table.add_row(row["file"], row["column"], row["check"], f"{row['rows']:,}", share, row["action"])
    _console().print(table)
    _console().print(_account(counts))
    for name in ("accidents", "accidents_priority", "accidents_unknown_label"):
        _console().print(f"{name.replace('_', ' '):<28}{counts[name]:>12,}")
    _console().print(_DATA_FILES.format(folder=folder))
    _console().print(ATTRIBUTION)


def _account(counts: Mapping[str, Any]) -> Table:
    """Where the rows of each file went: those that came in are those of the three other columns."""
    table = Table("table", *(Column(name, justify="right") for name in _WENT), title="rows")
    for name in BaacTable:
        not_chosen = counts["lieux_not_chosen"] if name is BaacTable.LIEUX else 0
        went = (*(counts[f"{name}_{part}"] for part in ("in", "out", "quarantined")), not_chosen)
        table.add_row(name, *(f"{number:,}" for number in went))
    return table


def print_scoring(scoring: Mapping[str, Any], target: str) -> None:
    """Print how many accidents were scored, and where the scores are."""
    for name, value in scoring.items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else value
        if shown is not None:
            _console().print(f"{name.replace('_', ' '):<24}{shown}")
    _console().print(f"scores in {target}")


def _console() -> Console:
    width = None if Console().is_terminal else 120
    return Console(width=width, highlight=False, soft_wrap=True, force_jupyter=False)
