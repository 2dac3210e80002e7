"""`python run.py retrain`: train a model again where the policy finds a reason, and compare it with the incumbent.

Imports nothing heavy: `--help` must answer at once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from accidents.configuration.stages import PRODUCTION
from cli.decorators import record_database
from cli.exit_codes import DONE, FAILED
from cli.options import ListOption, config_option, debug_enabled, debug_option, join_values

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from accidents.bundle import Bundle
    from accidents.configuration.loading import Configuration
    from tracking.registry import RegisteredVersion, Registry

_EVENT_CHARACTERS = 8


@click.command()
@click.option("--model-name", required=True, metavar="NAME", help="registered name or model type")
@click.option("--source", metavar="SOURCE", help="labelled accidents to train on and to compare with")
@click.option("--years", cls=ListOption, callback=join_values, metavar="YEARS", help="2021, 2019-2024 or 2019,2021")
@click.option("--dry-run", is_flag=True, help="only print the decision")
@click.option("--stack", metavar="NAME", help="ZenML stack for this command alone")
@config_option
@debug_option
def retrain(
    *, model_name: str, source: str | None, years: str | None, dry_run: bool, stack: str | None, config: Sequence[str]
) -> int:
    """Train the model in Production again, if drift, performance, age or a new edition are a reason.

    The policy is `retraining` in configs/monitoring.yaml; drift and performance are those of the last --monitoring. The
    candidate is compared with the incumbent by the promotion rule. Exit code 1: it was rejected, or failed.
    """
    from accidents.configuration.environment import load_environment
    from cli.zenml_session import prepare_zenml

    load_environment()
    from accidents.configuration.loading import load_configuration

    overrides = {"ingestion.source.location": source, "ingestion.source.years": years}
    names = {"ingestion.source.location": "--source", "ingestion.source.years": "--years"}
    configuration = load_configuration(map(Path, config), overrides, names)
    prepare_zenml(stack, debug=debug_enabled())
    from tracking.connection import connect
    from tracking.registry import Registry

    with (
        record_database(configuration.serving.records) as database,
        connect(configuration.tracking) as connection,
    ):
        registry = Registry(connection)
        incumbent = registry.in_stage(registry.resolve_name(model_name), PRODUCTION)
        return _retrain(database.engine, registry, incumbent, configuration, dry_run=dry_run)


def _retrain(
    engine: "Engine",
    registry: "Registry",
    incumbent: "RegisteredVersion",
    configuration: "Configuration",
    *,
    dry_run: bool,
) -> int:
    from accidents.monitoring.retraining import decide_retraining
    from accidents.sources.manifest import fetch_editions
    from serving.records.leases import LeaseHeldError, lease
    from serving.records.monitorings import latest_monitoring
    from serving.records.retrainings import end_promoted, start_retraining

    bundle = registry.load_bundle(incumbent)
    monitoring = latest_monitoring(engine, bundle.trained_at)
    editions, fingerprint = fetch_editions(configuration.ingestion.source)
    months = [f"{edition.year}-{month:02d}" for edition in editions for month in range(1, 13)]
    policy, now = configuration.monitoring.retraining, datetime.now(UTC)
    decision = decide_retraining(
        monitoring.result if monitoring else None, bundle.trained_at, bundle.months, months, now, policy
    )
    print(f"{incumbent.title}: {'train again' if decision.retrain else 'no reason to train again'}")
    for reason in decision.reasons:
        print(f"  {reason}")
    if dry_run:
        return DONE
    event = f"{bundle.model_type}-{incumbent.version}-{fingerprint[:_EVENT_CHARACTERS]}"
    try:
        with lease(engine, f"retraining of {incumbent.name}"):
            end_promoted(engine, incumbent.name, incumbent.version, PRODUCTION)
            if not decision.retrain or not _may_start(engine, event, incumbent.name, policy.cool_down_days, now):
                return DONE
            start_retraining(engine, event, incumbent.name, decision.reasons)
            return _train_and_judge(engine, registry, configuration, bundle, event, fingerprint)
    except LeaseHeldError as error:
        print(f"{error}; nothing was done")
        return DONE


def _may_start(engine: "Engine", event: str, model: str, cool_down_days: float, now: datetime) -> bool:
    """Whether an event is new or unfinished, and no cool-down holds it back; else says why not."""
    from serving.records.retrainings import UNFINISHED, find_retraining

    known = find_retraining(engine, event)
    if known is not None and known.state not in UNFINISHED:
        print(f"{event}: was trained for already, and is {known.state}")
        return False
    if known is None and (until := _cooling_down(engine, model, cool_down_days, now)):
        print(f"{model} was trained again a short time ago: not before {until:%Y-%m-%d %H:%M} UTC")
        return False
    return True


def _cooling_down(engine: "Engine", model: str, days: float, now: datetime) -> datetime | None:
    """The end of the cool-down after the last retraining of a model that has ended; None where it is over.

    What failed or was killed does not count: once the source is repaired, it is another event.
    """
    from serving.records.retrainings import UNFINISHED, list_retrainings

    ended = [one.changed_at for one in list_retrainings(engine, model) if one.state not in UNFINISHED]
    last = max(ended, default=None)
    until = last + timedelta(days=days) if last else now
    return until if until > now else None


def _train_and_judge(
    engine: "Engine",
    registry: "Registry",
    configuration: "Configuration",
    incumbent: "Bundle",
    event: str,
    fingerprint: str,
) -> int:
    """Run the training, from the cache where an interrupted command has run it, and decide about its candidate."""
    from accidents.errors import AccidentsError
    from cli.output_files import load_output
    from serving.records.retrainings import FAILED as STATE_FAILED
    from serving.records.retrainings import REJECTED, TRAINING, WAITING, set_state
    from tracking.promotion import EvaluationData
    from tracking.retraining import judge_candidate

    version = None
    try:
        run = _train(configuration, incumbent, fingerprint, registry.connection.identity)
        entry = load_output(run, "track_training", "registered_models")[incumbent.model_type]
        version = entry["version"]
        set_state(engine, event, TRAINING, (), version=version)  # whatever is killed from here on
        candidate = registry.version(entry["name"], version)
        features, accidents = load_output(run, "build_features", "features"), load_output(run, "ingest", "accidents")
        data = EvaluationData(features, accidents, configuration.ingestion.source.location)
        approved = configuration.monitoring.retraining.approved_candidate
        outcome = judge_candidate(
            registry, candidate, approved, data, configuration.evaluation, configuration.promotion
        )
    except AccidentsError as error:
        set_state(engine, event, STATE_FAILED, [str(error)], version=version)
        raise
    state = outcome.stage or (WAITING if outcome.approved else REJECTED)
    set_state(engine, event, state, outcome.reasons, version=version)
    print(f"{event}: {candidate.title} is {state}")
    for reason in outcome.reasons:
        print(f"  {reason}")
    if state == WAITING:
        print(f"decide    python run.py registry approve {event} --reason TEXT, or reject in place of approve")
    return FAILED if state == REJECTED else DONE


def _train(configuration: "Configuration", incumbent: "Bundle", fingerprint: str, store: str) -> Any:
    """Run the training pipeline for a model of the type and the level of the incumbent; nothing is promoted by it."""
    from accidents.worker_process import PRELOADED_MODULES, worker_process
    from cli.runs import run_pipeline
    from pipelines.training import training

    manual = {"auto_transition_to_staging": False, "auto_transition_to_production": False}
    changed = configuration.model_copy(
        update={
            "features": configuration.features.model_copy(update={"level": incumbent.level}),
            "training": configuration.training.model_copy(update={"models": (incumbent.model_type,)}),
            "promotion": configuration.promotion.model_copy(update=manual),
        }
    )
    with worker_process(*PRELOADED_MODULES):
        return run_pipeline(
            training, cache=True, debug=debug_enabled(), configuration=changed, fingerprint=fingerprint, store=store
        )
