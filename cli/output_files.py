"""The files that a run leaves for people: copies of its artifacts under `data/`, `models/` and `reports/`.

Every file is written to a temporary name beside it and renamed, and left alone where it is already the same.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from accidents.columns import ATTRIBUTION
from accidents.sources.edition import Edition
from cli.predict import BEST
from materializers.bundle import BUNDLE_FILE, METADATA_FILE
from materializers.frame import FILE_NAME as FRAME_FILE

_PAGES = {
    "comparison_report": "comparison.html",
    "evaluation_report": "best_model.html",
    "model_card": "model_card.html",
    "model_card_text": "model_card.md",
}
"""Files under the folder of reports by the name of the artifact."""


_INGESTION = {
    "validation_report": "validation_report.csv",
    "quarantine": "quarantine.csv",
    "expectations_report": "expectations.html",
}
"""Files about the data as they were read, by the name of the artifact."""


def output(run: Any, step: str, name: str) -> Any:
    """The artifact version that a step of a run made, or took from the cache."""
    return run.steps[step].outputs[name][0]


def write_tables(run: Any, folder: Path, *, csv: bool) -> None:
    """Write the cleaned accidents and, where the run made them, the features; as CSV, too, where asked."""
    _write_table(run, "ingest", "accidents", folder / "interim" / "interim_dataset.parquet", csv=csv)
    if "build_features" in run.steps:
        _write_table(run, "build_features", "features", folder / "processed" / "features.parquet", csv=csv)


def reading_step(run: Any) -> Any:
    """The step of a run that reads published files; None where the run did not come so far."""
    return next((run.steps[name] for name in ("ingest", "score_accidents") if name in run.steps), None)


def write_ingestion(run: Any, folder: Path) -> list[Path]:
    """Write what was found in the data, whether the run went well or not; returns the files written.

    A file of an earlier run for which this one has nothing to put in its place is removed: it tells of other data.
    """
    step = reading_step(run)
    found = step.outputs if step else {}
    written = []
    for name, file in _INGESTION.items():
        if name not in found:
            (folder / file).unlink(missing_ok=True)
            continue
        content = found[name][0].load()
        write_text(folder / file, content.to_csv(index=False) if isinstance(content, pd.DataFrame) else content)
        written.append(folder / file)
    return written


def _write_table(run: Any, step: str, name: str, target: Path, *, csv: bool) -> None:
    copy_file(output(run, step, name), FRAME_FILE, target)
    beside = target.with_suffix(".csv")
    if csv:
        write_text(beside, pd.read_parquet(target).to_csv(index=False))
    else:
        beside.unlink(missing_ok=True)  # it would tell of other data


def write_manifest(path: Path, location: str, fingerprint: str, editions: Sequence[Edition]) -> None:
    """Note which files the data under the folder of `path` were made of."""
    files = [
        {"year": edition.year, "table": str(table), "file": file}
        for edition in editions
        for table, file in edition.files.items()
    ]
    write_json(path, {"source": location, "attribution": ATTRIBUTION, "fingerprint": fingerprint, "files": files})


def write_models(run: Any, types: Sequence[str], models: Path, reports: Path) -> None:
    """Write bundles and their metadata, the note of the best, figures, the comparison, reports and the model card."""
    from accidents.evaluation.results import Evaluation

    evaluations: dict[str, Any] = output(run, "compare_models", "evaluations").load()
    for model_type in types:
        artifact = output(run, f"train_{model_type}", f"{model_type}_model")
        copy_file(artifact, BUNDLE_FILE, models / f"{model_type}_model.joblib")
        copy_file(artifact, METADATA_FILE, models / f"{model_type}_metadata.json")
        write_json(
            reports / "metrics" / f"{model_type}_metrics.json",
            Evaluation.model_validate(evaluations[model_type]).summary(),
        )
    best = output(run, "compare_models", "best_model_type").load()
    write_json(models / BEST, {"model_type": best, "file": f"{best}_model.joblib", "run": run.name})
    comparison: pd.DataFrame = output(run, "compare_models", "model_comparison").load()
    write_text(reports / "metrics" / "model_comparison.csv", comparison.to_csv(index=False))
    for name, file in _PAGES.items():
        write_text(reports / file, output(run, "compare_models", name).load())


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def copy_file(artifact: Any, name: str, target: Path) -> None:
    """Copy one file of an artifact, unless `target` holds the same content already."""
    from zenml.io import fileio

    source = f"{artifact.uri}/{name}"
    with fileio.open(source, "rb") as file:
        content = file.read()
    if target.is_file() and _checksum(target.read_bytes()) == _checksum(content):
        return
    write_atomically(target, lambda path: path.write_bytes(content))


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
