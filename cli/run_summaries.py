"""Summaries printed at the end of a run: tables, and the files to look at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Column, Table

from accidents.columns import ATTRIBUTION
from accidents.columns import Table as BaacTable
from accidents.models import display_name
from cli.output import console

_COMPARISON_COLUMNS = ("accuracy", "precision", "recall", "f1_score", "roc_auc", "best_cv_score", "fit_seconds")
_HEADINGS = {"best_cv_score": "best cv roc auc"}  # as `best_cv_metric` of the comparison says
_ROW_COUNT_COLUMNS = ("in", "= out", "+ quarantined", "+ not chosen")
_DATA_FILES = "data      {folder}/validation_report.csv, {folder}/quarantine.csv, {folder}/expectations.html"
_METRICS = ("roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy", "brier", "ece")


def print_comparison(comparison: pd.DataFrame, best: str, models: Path, reports: Path) -> None:
    """Print the models, ranked by F1 on the test set, the proposed one, and the files to look at."""
    table = Table("model", *(_HEADINGS.get(name, name.replace("_", " ")) for name in _COMPARISON_COLUMNS))
    for row in comparison.to_dict("records"):
        figures = (
            "" if pd.isna(row[name]) else f"{row[name]:.{1 if name == 'fit_seconds' else 3}f}"
            for name in _COMPARISON_COLUMNS
        )
        table.add_row(display_name(row["model_type"]), *figures)
    console().print(table)
    print(
        f"best      {display_name(best)}: {_reason(comparison.set_index('model_type')['validation_log_loss'], best)}; "
        "--predict uses it\n"
        "          It need not be the first row: the table shows the test set, which takes no part in the choice.\n"
        f"models    {models}/<type>_model.zip\n"
        f"metrics   {reports}/model_comparison.csv\n"
        f"report    {reports}/comparison.html, {reports}/best_model.html, {reports}/model_card.md\n"
        f"{_DATA_FILES.format(folder=reports / 'ingestion')}\n"
        f"next      python run.py --predict examples/low_risk.json"
    )


def print_final(accidents: int, twins: Path) -> None:
    """Print what the model files hold after a training with final models."""
    print(
        f"final     every model file was fitted once more on all {accidents:,} labelled accidents; the table and the "
        f"reports\n          are about the evaluated twins, {twins}/<type>_model.zip"
    )


def _reason(log_losses: pd.Series, best: str) -> str:
    """Why a model is proposed, from the log loss on the validation set by model type."""
    lowest = str(log_losses.idxmin())
    if best == lowest:
        return "lowest log loss on the validation set"
    return f"preferred of models that tie with the lowest log loss on the validation set ({display_name(lowest)})"


def print_evaluation(evaluation: Mapping[str, Any], folder: Path) -> None:
    """Print the metrics with their confidence intervals, and the files to look at."""
    table = Table("metric", "value", f"{evaluation['confidence']:.0%} interval")
    for name in _METRICS:
        interval = evaluation["intervals"].get(name)
        value = evaluation[name]
        table.add_row(
            name,
            "" if value is None else f"{value:.3f}",
            f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "",
        )
    console().print(table)
    evaluated, labelled = evaluation["n"], evaluation["labelled"]
    print(f"{evaluated:,} accidents, {evaluation['prevalence']:.3f} of them priority")
    if left_out := labelled - evaluated:
        print(f"left out  {left_out:,} further accidents, on which the model was trained")
    print(f"report    {folder}/report.html\nmetrics   {folder}/metrics.json")


def print_ingestion(report: pd.DataFrame, counts: Mapping[str, Any], folder: Path) -> None:
    """Print the findings of the validation, the number of rows, and the files to look at."""
    table = Table("file", "column", "check", "rows", "share", "action", title="findings")
    for row in report.to_dict("records"):
        share = f"{row['share']:.2%}" if pd.notna(row["share"]) else ""
        table.add_row(row["file"], row["column"], row["check"], f"{row['rows']:,}", share, row["action"])
    console().print(table)
    console().print(_row_counts(counts))
    for name in ("accidents", "accidents_priority", "accidents_unknown_label"):
        print(f"{name.replace('_', ' '):<28}{counts[name]:>12,}")
    print(_DATA_FILES.format(folder=folder))
    print(ATTRIBUTION)


def _row_counts(counts: Mapping[str, Any]) -> Table:
    """Rows of each file: those read are the sum of the three other columns."""
    table = Table("table", *(Column(name, justify="right") for name in _ROW_COUNT_COLUMNS), title="rows")
    for name in BaacTable:
        not_chosen = counts["lieux_not_chosen"] if name is BaacTable.LIEUX else 0
        numbers = (*(counts[f"{name}_{kind}"] for kind in ("in", "out", "quarantined")), not_chosen)
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return table


def print_scoring(scoring: Mapping[str, Any], target: str) -> None:
    """Print how many accidents were scored, and the file of the scores."""
    for name, value in scoring.items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else value
        if shown is not None:
            print(f"{name.replace('_', ' '):<24}{shown}")
    print(f"scores in {target}")
