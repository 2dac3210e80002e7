"""Commands of the registry that measure versions on accidents: compare, evaluate-promotion, auto-promote."""

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from accidents.atomic_write import write_text
from accidents.configuration.stages import NONE, STAGES
from accidents.errors import AccidentsError, ConfigurationError, DataError, ModelError
from cli.exit_codes import DONE, FAILED
from cli.options import CommaSeparated, Days, ListOption, debug_enabled
from cli.output import print_json
from cli.registry import options
from cli.registry.context import RegistryContext, registry_command
from cli.zenml_session import logs_to_stderr

if TYPE_CHECKING:
    from tracking.ledger import LedgerEntry
    from tracking.promotion import EvaluationData, PromotionEvaluation
    from tracking.registry import RegisteredVersion


@registry_command(
    "compare",
    options.MODEL_OR_ALL,
    options.SOURCE,
    options.YEARS,
    click.option(
        "--versions", cls=ListOption, metavar="N", help="numbers; by default the latest and those with a stage"
    ),
    click.option(
        "--stages",
        cls=ListOption,
        type=CommaSeparated([stage.lower() for stage in STAGES]),
        metavar="STAGE",
        help=f"versions in these stages: {', '.join(STAGES)}",
    ),
    click.option(
        "--format",
        "--output-format",
        "file_format",
        type=click.Choice(("table", "dataframe", "html", "csv", "json")),
        default="table",
        help="print a table (dataframe is the same), or write a file",
        show_default=True,
    ),
    click.option("--output", metavar="FILE", help="file for --format, in place of reports/registry/…"),
    click.option("--live", is_flag=True, help="compare the answers of the service with those of its shadow model"),
    click.option("--days", type=Days(zero=False), metavar="N", help="of --live: predictions of the last N days"),
)
def compare(
    context: RegistryContext,
    model_name: str | None,
    versions: tuple[str, ...],
    stages: tuple[str, ...],
    file_format: str,
    output: str | None,
    *,
    live: bool,
    days: float | None,
) -> int:
    """Measure versions of --model-name on the same accidents; print or write metrics, plots and a recommendation.

    With --live: agreement, shift of probabilities and, with feedback, who was better, of the model that answers and
    its shadow model (--serve --shadow), by default of every pair in the prediction log.
    """
    if live:
        return _compare_live(context, model_name, versions or stages, file_format, output, days)
    if model_name is None or days is not None:
        raise click.UsageError("compare needs --model-name" if model_name is None else "--days goes with --live")
    from accidents.evaluation.metrics import METRICS
    from accidents.promotion.version_comparison import compare_versions
    from tracking.promotion import reject_synthetic_source

    name, data = context.registry.resolve_name(model_name), _load_data(context)
    compared = _versions(context, name, versions, stages)
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
    if file_format in {"table", "dataframe"}:
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
    print(f"{_write(context, text, f'{name}.{file_format}', output)}\n{comparison.recommendation}")
    return DONE


def _compare_live(
    context: RegistryContext,
    model_name: str | None,
    chosen: tuple[str, ...],
    file_format: str,
    output: str | None,
    days: float | None,
) -> int:
    from cli.registry.live import compare_live_answers

    if chosen or file_format in {"html", "csv"}:
        raise click.UsageError("--live goes with --model-name, --days, --output and --format table or json")
    comparisons = compare_live_answers(context, model_name, days)
    if file_format == "json":
        print(_write(context, json.dumps(comparisons, indent=2), "live.json", output))
    return DONE


def _write(context: RegistryContext, text: str, name: str, output: str | None) -> Path:
    """Write a file to `output`, or under its name to the folder of reports; returns its path."""
    target = Path(output) if output else context.configuration.training.reports_folder / "registry" / name
    try:
        write_text(target, text)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


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
    "auto-promote",
    options.MODEL_OR_ALL,
    options.VERSION_OR_LATEST,
    options.PROMOTION_STAGE,
    options.SOURCE,
    options.YEARS,
    options.JSON,
)
def auto_promote(context: RegistryContext, model_name: str | None, version: str | None, stage: str) -> int:
    """Promote a version, by default the latest one of each model, if the promotion rule approves it."""
    if version is not None and model_name is None:
        raise click.UsageError("--version goes with --model-name")
    from tracking.errors import RegistryError
    from tracking.promotion import promote_if_approved

    data = _load_data(context)
    results: list[tuple[PromotionEvaluation, LedgerEntry | None]] = []
    errors: list[AccidentsError] = []
    for name in context.names(model_name):
        try:
            evaluation = _evaluate(context, context.version(name, version), stage, data)
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


def _versions(
    context: RegistryContext, name: str, numbers: tuple[str, ...], stages: tuple[str, ...]
) -> list["RegisteredVersion"]:
    """The versions of these numbers and in these stages; without either the latest one and those in a stage.

    Raises:
        RegistryError: there is no version of a number, or none in the stages.
    """
    from tracking.errors import RegistryError

    versions = context.registry.versions(name)
    if not numbers and not stages:
        return [version for index, version in enumerate(versions) if index == 0 or version.stage != NONE]
    chosen = [context.registry.version(name, number) for number in numbers]
    chosen += [one for one in versions if one.stage.lower() in stages and one.version not in numbers]
    if not chosen:
        raise RegistryError(f"no version of {name} is in one of these stages: {', '.join(stages)}")
    return chosen


def _load_data(context: RegistryContext) -> "EvaluationData":
    """Features and labelled accidents of the source, from a cached run of the features pipeline."""
    from cli.pipeline_commands import load_features
    from tracking.promotion import EvaluationData

    with logs_to_stderr() if context.as_json else nullcontext():
        features, accidents = load_features(context.configuration, debug=debug_enabled())
    return EvaluationData(features, accidents, context.configuration.ingestion.source.location)
