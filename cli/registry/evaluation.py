"""Commands of the registry that measure versions on accidents: compare, evaluate-promotion, auto-promote."""

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from accidents.configuration.stages import NONE
from accidents.errors import AccidentsError, ConfigurationError, DataError, ModelError
from cli.exit_codes import DONE, FAILED
from cli.options import ListOption, debug_enabled
from cli.output import print_json
from cli.registry import options
from cli.registry.context import RegistryContext, registry_command
from cli.zenml_session import logs_to_stderr
from tracking.names import resolve_model_name

if TYPE_CHECKING:
    from tracking.ledger import LedgerEntry
    from tracking.promotion import EvaluationData, PromotionEvaluation
    from tracking.registry import RegisteredVersion


@registry_command(
    "compare",
    options.MODEL,
    options.SOURCE,
    options.YEARS,
    click.option(
        "--versions", cls=ListOption, metavar="N", help="numbers; by default the latest and those with a stage"
    ),
    click.option(
        "--format",
        "file_format",
        type=click.Choice(("table", "html", "csv", "json")),
        default="table",
        help="print a table, or write a file",
        show_default=True,
    ),
    click.option("--output", metavar="FILE", help="file for --format, in place of reports/registry/…"),
)
def compare(
    context: RegistryContext, model_name: str, versions: tuple[str, ...], file_format: str, output: str | None
) -> int:
    """Measure versions on the same accidents; print or write metrics, plots and a recommendation."""
    from accidents.atomic_write import write_text
    from accidents.evaluation.metrics import METRICS
    from accidents.promotion.version_comparison import compare_versions
    from tracking.promotion import reject_synthetic_source

    name, data = resolve_model_name(model_name), _load_data(context)
    compared = _versions(context, name, versions)
    reject_synthetic_source(data.source, compared)
    comparison = compare_versions(
        {version.title: context.registry.load_evaluated_bundle(version) for version in compared},
        data.features,
        data.accidents,
        context.configuration.evaluation,
        context.configuration.promotion,
        source=data.source,
    )
    by_version = comparison.table.to_dict("index")
    if file_format == "table":
        rows = [
            [str(title), *(f"{metrics[metric]:.4f}" for metric in METRICS)] for title, metrics in by_version.items()
        ]
        context.print_table(None, ("version", *METRICS), rows)
        print(comparison.recommendation)
        return DONE
    if file_format == "html":
        text = comparison.html
    elif file_format == "csv":
        text = comparison.table.to_csv(index_label="version")
    else:
        text = json.dumps({"recommendation": comparison.recommendation, "versions": by_version}, indent=2)
    folder = context.configuration.training.reports_folder / "registry"
    target = Path(output) if output else folder / f"{name}.{file_format}"
    try:
        write_text(target, text)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror or error}") from error
    print(f"{target}\n{comparison.recommendation}")
    return DONE


@registry_command(
    "evaluate-promotion",
    options.MODEL,
    options.VERSION_OR_LATEST,
    options.PROMOTION_STAGE,
    options.SOURCE,
    options.YEARS,
    options.JSON,
)
def evaluate_promotion(context: RegistryContext, model_name: str, version: str | None, stage: str) -> int:
    """Evaluate the promotion rule for a version, by default the latest; exit code 1 if it refuses."""
    evaluation = _evaluate(context, context.version(model_name, version), stage, _load_data(context))
    _print_decisions(context, [(evaluation, None)])
    return DONE if evaluation.decision.approved else FAILED


@registry_command(
    "auto-promote", options.MODEL_OR_ALL, options.PROMOTION_STAGE, options.SOURCE, options.YEARS, options.JSON
)
def auto_promote(context: RegistryContext, model_name: str | None, stage: str) -> int:
    """Promote the latest version of each model if the promotion rule approves it."""
    from tracking.errors import RegistryError
    from tracking.promotion import promote_if_approved

    data = _load_data(context)
    results: list[tuple[PromotionEvaluation, LedgerEntry | None]] = []
    errors: list[AccidentsError] = []
    for name in context.names(model_name):
        try:
            evaluation = _evaluate(context, context.registry.latest(name), stage, data)
            results.append((evaluation, promote_if_approved(context.registry, evaluation)))
        except (DataError, ModelError, RegistryError) as refusal:
            errors.append(refusal)  # the other models are evaluated all the same
    _print_decisions(context, results)
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    return FAILED if errors else DONE


def _evaluate(
    context: RegistryContext, version: "RegisteredVersion", stage: str, data: "EvaluationData"
) -> "PromotionEvaluation":
    from tracking.promotion import evaluate_candidate

    configuration = context.configuration
    return evaluate_candidate(context.registry, version, stage, data, configuration.evaluation, configuration.promotion)


def _print_decisions(
    context: RegistryContext, results: list[tuple["PromotionEvaluation", "LedgerEntry | None"]]
) -> None:
    if context.as_json:
        print_json([asdict(evaluation.entry) | {"promoted": entry is not None} for evaluation, entry in results])
    for evaluation, entry in results:
        verdict = "approved" if evaluation.decision.approved else "refused"
        moved = f" and is there now{f'; {entry.previous} is archived' if entry.previous else ''}" if entry else ""
        context.print_text(f"{evaluation.candidate.title} for {evaluation.stage}: {verdict}{moved}")
        for reason in evaluation.entry.reasons:
            context.print_text(f"  {reason}")


def _versions(context: RegistryContext, name: str, numbers: tuple[str, ...]) -> list["RegisteredVersion"]:
    """The versions of these numbers; without numbers the latest one and those in a stage."""
    if numbers:
        return [context.registry.version(name, number) for number in numbers]
    versions = context.registry.versions(name)
    return [version for index, version in enumerate(versions) if index == 0 or version.stage != NONE]


def _load_data(context: RegistryContext) -> "EvaluationData":
    """Features and labelled accidents of the source, from a cached run of the features pipeline."""
    from cli.pipeline_commands import load_features
    from tracking.promotion import EvaluationData

    with logs_to_stderr() if context.as_json else nullcontext():
        features, accidents = load_features(context.configuration, debug=debug_enabled())
    return EvaluationData(features, accidents, context.configuration.ingestion.source.location)
