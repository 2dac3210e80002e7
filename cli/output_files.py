"""The files that a run writes for people: copies of its artifacts under `data/`, `models/` and `reports/`.

Every file is written atomically.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from accidents.atomic_write import write_bytes, write_text
from cli.model_lookup import BEST_MODEL_FILE
from materializers.bundle import BUNDLE_FILE, METADATA_FILE
from materializers.frame import FILE_NAME as FRAME_FILE

EVALUATED_TWIN = "evaluated_twin"
"""Folder, in that of models, of the evaluated twins of final models."""

_REPORT_FILES = {
    "comparison_report": "comparison.html",
    "evaluation_report": "best_model.html",
    "model_card": "model_card.html",
    "model_card_text": "model_card.md",
}
"""Files in the folder of reports, by the name of the artifact."""

_DATA_REPORT_FILES = {
    "validation_report": "validation_report.csv",
    "quarantine": "quarantine.csv",
    "expectations_report": "expectations.html",
}
"""Files about the raw data, by the name of the artifact."""

_TABLE_FILES = {
    "ingest": ("accidents", "interim/interim_dataset.parquet"),
    "build_features": ("features", "processed/features.parquet"),
}
"""Artifact and file of each step that makes a table."""


def step_output(run: Any, step: str, name: str) -> Any:
    """The artifact version that a step of a run made, or took from the cache."""
    return run.steps[step].outputs[name][0]


def load_output(run: Any, step: str, name: str) -> Any:
    """The value of such an artifact."""
    return step_output(run, step, name).load()


def evaluated_artifact(run: Any, model_type: str) -> Any:
    """The artifact of the model of a training that was evaluated."""
    return step_output(run, f"train_{model_type}", f"{model_type}_model")


def model_artifact(run: Any, model_type: str) -> Any:
    """The artifact of the model of a training that answers: the final model, where there is one."""
    step = f"fit_final_{model_type}"
    if step in run.steps:
        return step_output(run, step, f"{model_type}_final_model")
    return evaluated_artifact(run, model_type)


def data_step(run: Any) -> Any:
    """The step of a run that read the published files; None where the run did not reach it."""
    return next((run.steps[name] for name in ("ingest", "score_accidents") if name in run.steps), None)


def write_tables(run: Any, folder: Path, *, csv: bool) -> None:
    """Write the cleaned accidents and, where the run computed them, the features.

    Args:
        run: the run.
        folder: the folder `data/`.
        csv: write CSV files, too.
    """
    for step, (name, file) in _TABLE_FILES.items():
        if step not in run.steps:
            continue
        target = folder / file
        copy_artifact_file(step_output(run, step, name), FRAME_FILE, target)
        csv_file = target.with_suffix(".csv")
        if csv:
            write_text(csv_file, pd.read_parquet(target).to_csv(index=False))
        else:
            csv_file.unlink(missing_ok=True)  # it describes other data


def write_data_reports(run: Any, folder: Path) -> list[Path]:
    """Write the reports on the raw data, also of a failed run; returns the files written.

    A file of an earlier run that this run does not replace is deleted: it describes other data.
    """
    step = data_step(run)
    outputs = step.outputs if step else {}
    written = []
    for name, file in _DATA_REPORT_FILES.items():
        if name not in outputs:
            (folder / file).unlink(missing_ok=True)
            continue
        content = outputs[name][0].load()
        write_text(folder / file, content.to_csv(index=False) if isinstance(content, pd.DataFrame) else content)
        written.append(folder / file)
    return written


def write_models(run: Any, types: Sequence[str], models: Path, reports: Path) -> None:
    """Write the results of a training.

    Args:
        run: the run of the training pipeline.
        types: the model types that it trained.
        models: the folder of model files and their metadata.
        reports: the folder of metrics, comparison, reports and model card.
    """
    from accidents.evaluation.results import Evaluation

    evaluations: dict[str, Any] = load_output(run, "compare_models", "evaluations")
    for model_type in types:
        artifact, twin = model_artifact(run, model_type), evaluated_artifact(run, model_type)
        twin_file = models / EVALUATED_TWIN / f"{model_type}_model.zip"
        if artifact.id != twin.id:
            copy_artifact_file(twin, BUNDLE_FILE, twin_file)
        copy_artifact_file(artifact, BUNDLE_FILE, models / f"{model_type}_model.zip")
        copy_artifact_file(artifact, METADATA_FILE, models / f"{model_type}_metadata.json")
        if artifact.id == twin.id:
            twin_file.unlink(missing_ok=True)  # it is that of an earlier training
        summary = Evaluation.model_validate(evaluations[model_type]).summary()
        write_json(reports / "metrics" / f"{model_type}_metrics.json", summary)
    best = load_output(run, "compare_models", "best_model_type")
    write_json(models / BEST_MODEL_FILE, {"model_type": best, "file": f"{best}_model.zip", "run": run.name})
    comparison: pd.DataFrame = load_output(run, "compare_models", "model_comparison")
    write_text(reports / "model_comparison.csv", comparison.to_csv(index=False))
    for name, file in _REPORT_FILES.items():
        write_text(reports / file, load_output(run, "compare_models", name))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def copy_artifact_file(artifact: Any, name: str, target: Path) -> None:
    """Copy one file of an artifact, unless `target` has the same content already."""
    from zenml.io import fileio

    with fileio.open(f"{artifact.uri}/{name}", "rb") as file:
        content = file.read()
    if not target.is_file() or target.read_bytes() != content:
        write_bytes(target, content)
