"""Commands of the registry that measure versions on accidents: compare, evaluate-promotion, auto-promote."""

import argparse
import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from accidents.configuration.stages import NONE
from accidents.errors import AccidentsError, ConfigurationError, DataError, ModelError
from accidents.evaluation.metrics import METRICS
from accidents.promotion.version_comparison import compare_versions
from cli import output_files, pipeline_commands
from cli.exit_codes import DONE, FAILED
from cli.registry.context import Desk
from cli.zenml_session import progress_on_stderr
from tracking.errors import RegistryError
from tracking.ledger import LedgerEntry
from tracking.promotion import (
    EvaluationData,
    PromotionEvaluation,
    evaluate_candidate,
    promote_if_approved,
    reject_synthetic_source,
)
from tracking.registry import RegisteredVersion


def compare(desk: Desk) -> int:
    """Measure versions on the same accidents; show, or write, figures, pictures and a recommendation."""
    name, data = desk.name, _data(desk)
    chosen = _chosen(desk, name)
    reject_synthetic_source(data.source, chosen)
    bundles = {version.title: desk.registry.load_bundle(version) for version in chosen}
    found = compare_versions(
        bundles,
        data.features,
        data.accidents,
        desk.configuration.evaluation,
        desk.configuration.promotion,
        source=data.source,
    )
    kind = desk.given.format
    if kind == "table":
        desk.given.json = False
        rows = [
            [str(title), *(f"{row[m]:.4f}" for m in METRICS)] for title, row in found.table.to_dict("index").items()
        ]
        desk.show(None, ("version", *METRICS), rows)
        print(found.recommendation)
        return DONE
    text = {
        "html": lambda: found.html,
        "csv": lambda: found.table.to_csv(index_label="version"),
        "json": lambda: json.dumps(
            {"recommendation": found.recommendation, "versions": found.table.to_dict("index")}, indent=2
        ),
    }[kind]()
    folder = desk.configuration.training.reports_folder / "registry"
    target = Path(desk.given.output) if desk.given.output else folder / f"{name}.{kind}"
    try:
        output_files.write_text(target, text)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror or error}") from error
    print(f"{target}\n{found.recommendation}")
    return DONE


def evaluate_promotion(desk: Desk) -> int:
    """Ask the rule; exit code 1 where it refuses."""
    judged = _judged(desk, desk.version, _data(desk))
    _tell(desk, [(judged, None)])
    return DONE if judged.decision.approved else FAILED


def auto_promote(desk: Desk) -> int:
    """Promote the latest version of each model that the rule approves of; one that fails does not stop the others."""
    data = _data(desk)
    results: list[tuple[PromotionEvaluation, LedgerEntry | None]] = []
    failed: list[AccidentsError] = []
    for name in desk.names:
        try:
            judged = _judged(desk, desk.registry.latest(name), data)
            results.append((judged, promote_if_approved(desk.registry, judged)))
        except (DataError, ModelError, RegistryError) as error:
            failed.append(error)
    _tell(desk, results)
    for reason in failed:
        print(f"error: {reason}", file=sys.stderr)
    return FAILED if failed else DONE


def _judged(desk: Desk, version: RegisteredVersion, data: EvaluationData) -> PromotionEvaluation:
    configuration = desk.configuration
    return evaluate_candidate(
        desk.registry, version, desk.given.stage, data, configuration.evaluation, configuration.promotion
    )


def _tell(desk: Desk, results: list[tuple[PromotionEvaluation, LedgerEntry | None]]) -> None:
    if desk.given.json:
        told = [asdict(judged.entry) | {"promoted": entry is not None} for judged, entry in results]
        print(json.dumps(told, indent=2))
    for judged, entry in results:
        verdict = "approved" if judged.decision.approved else "refused"
        done = f" and is there now{f'; {entry.previous} is archived' if entry.previous else ''}" if entry else ""
        desk.say(f"{judged.candidate.title} for {judged.stage}: {verdict}{done}")
        for reason in judged.entry.reasons:
            desk.say(f"  {reason}")


def _chosen(desk: Desk, name: str) -> list[RegisteredVersion]:
    """The versions that were named, else the latest and those that hold a stage."""
    if desk.given.versions:
        return [desk.registry.version(name, number) for number in dict.fromkeys(desk.given.versions)]
    found = desk.registry.versions(name)
    return [version for place, version in enumerate(found) if place == 0 or version.stage != NONE]


def _data(desk: Desk) -> EvaluationData:
    """Features and labelled accidents of the source, from the features pipeline, which remembers them."""
    given = argparse.Namespace(no_cache=False, debug=desk.given.debug)
    with progress_on_stderr() if getattr(desk.given, "json", False) else nullcontext():
        features, accidents = pipeline_commands.labelled(desk.configuration, given)
    return EvaluationData(features, accidents, desk.configuration.ingestion.source.location)
