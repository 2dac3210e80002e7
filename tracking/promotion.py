"""Promotion by rule: candidate and holders fetched, measured anew on the same accidents, judged, and moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.stages import NONE, PRODUCTION, STAGING
from accidents.errors import DataError
from accidents.promotion.decision import PromotionDecision, decide
from accidents.promotion.held_out_evaluation import best_model, evaluate_held_out
from accidents.sample.source_name import SAMPLE
from tracking import ledger
from tracking.errors import RegistryError
from tracking.ledger import LedgerEntry
from tracking.registry import RegisteredVersion, Registry
from tracking.stages import transition

_LONGEST = 4_000  # characters of a tag


@dataclass(frozen=True)
class EvaluationData:
    """Labelled accidents to measure on: features and accidents in the same order, and where they come from."""

    features: pd.DataFrame
    accidents: pd.DataFrame
    source: str


@dataclass(frozen=True)
class PromotionEvaluation:
    """A candidate for a stage, what was decided about it, and who held the stage then."""

    candidate: RegisteredVersion
    stage: str
    holder: RegisteredVersion | None
    decision: PromotionDecision
    entry: LedgerEntry = field(repr=False)


def evaluate_candidate(
    registry: Registry,
    candidate: RegisteredVersion,
    stage: str,
    data: EvaluationData,
    evaluation: EvaluationSettings,
    rule: PromotionSettings,
) -> PromotionEvaluation:
    """Measure a candidate and the holders that it has to beat, decide, and write that into ledger and run.

    Raises:
        DataError: too few accidents that none of the models has learned from.
        RegistryError: a model of real accidents would be judged by synthetic ones, or a rival is of another level.
    """
    holder = registry.holder(candidate.name, stage)
    rivals = _rivals(registry, candidate, rule)
    reject_synthetic_source(data.source, (candidate, *rivals))
    bundles: dict[str, Bundle] = {one.title: registry.load(one) for one in (candidate, *rivals)}
    measured = evaluate_held_out(bundles, data.features, data.accidents, evaluation, rule)
    incumbent = best_model(measured, [one.title for one in rivals], rule.improvement.metric)
    if holder and holder.version == candidate.version:
        incumbent = measured.models[candidate.title]
    difference = measured.differences.get(incumbent.name) if incumbent else None
    decision = decide(measured.models[candidate.title], incumbent, difference, rule)
    entry = LedgerEntry(
        "evaluate",
        candidate.name,
        candidate.version,
        stage,
        holder.version if holder else None,
        decision.approved,
        (_measured_on(measured.accidents, data.source), *decision.reasons),
        decision.figures,
    )
    ledger.append(registry.connection, entry)
    _tell_the_run(registry, candidate, stage, decision)
    return PromotionEvaluation(candidate, stage, holder, decision, entry)


def promote_if_approved(registry: Registry, judged: PromotionEvaluation) -> LedgerEntry | None:
    """Give the candidate the stage it was approved for, unless the holder has changed since; None if it was not.

    Raises:
        RegistryError: the stage has another holder by now, or the model is being changed.
    """
    if not judged.decision.approved:
        return None
    own = judged.entry
    entry = LedgerEntry("promote", own.model, own.version, own.stage, None, True, own.reasons, own.figures)
    return transition(registry, judged.candidate, judged.stage, entry, judged.holder)


def automatic_stages(rule: PromotionSettings) -> list[str]:
    """Stages that a newly registered model takes by itself where the rule approves, the lower one first."""
    switched = {STAGING: rule.auto_transition_to_staging, PRODUCTION: rule.auto_transition_to_production}
    return [stage for stage, on in switched.items() if on]


def promote_new_versions(
    registry: Registry,
    registered: Mapping[str, Mapping[str, Any]],
    data: EvaluationData,
    evaluation: EvaluationSettings,
    rule: PromotionSettings,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Judge newly registered versions for the stages of `stages_without_command`, and move those that are approved.

    A version that has a stage already, from an earlier run of the same training, is left where it is.

    Returns:
        By model type and stage: `version`, `approved`, `reasons`.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for model_type, told in registered.items():
        for stage in automatic_stages(rule):
            if not told["version"]:
                continue
            candidate = registry.version(told["name"], told["version"])
            if candidate.stage not in {NONE, STAGING} or candidate.stage == stage:
                continue
            try:
                judged = evaluate_candidate(registry, candidate, stage, data, evaluation, rule)
                promote_if_approved(registry, judged)
                approved, reasons = judged.decision.approved, list(judged.decision.reasons)
            except (DataError, RegistryError) as error:
                approved, reasons = False, [str(error)]
            verdict = {"version": candidate.version, "approved": approved, "reasons": reasons}
            found.setdefault(model_type, {})[stage] = verdict
    return found


def _rivals(registry: Registry, candidate: RegisteredVersion, rule: PromotionSettings) -> list[RegisteredVersion]:
    """Who holds the stages that the rule compares with; not the candidate itself.

    Raises:
        RegistryError: one of them is told more, or less, of an accident, so that figures cannot be compared.
    """
    held = [registry.holder(candidate.name, other) for other in rule.improvement.over]
    rivals = [one for one in held if one and one.version != candidate.version]
    for one in rivals:
        theirs, own = one.tags.get("level"), candidate.tags.get("level")
        if theirs != own:
            raise RegistryError(
                f"{candidate.title} is of level {own}, {one.title} in {one.stage} of level {theirs}: their figures "
                "cannot be compared; train one with --level of the other, or use 'registry transition'"
            )
    return rivals


def reject_synthetic_source(source: str, versions: Iterable[RegisteredVersion]) -> None:
    """Refuse to hold models of real accidents against synthetic ones, which say nothing about real roads.

    Raises:
        RegistryError: one of the versions was trained on real accidents, and the source is the synthetic sample.
    """
    for one in versions:
        if source == SAMPLE and not one.synthetic:
            raise RegistryError(
                f"{one.title} was trained on real accidents ({one.tags.get('source', 'not recorded')}), and those to "
                f"measure on ({source}) are synthetic: name real ones with --source, and --years where needed"
            )


def _measured_on(count: int, source: str) -> str:
    return f"measured on {count:,} accidents of {source} held out from every model"


def _tell_the_run(registry: Registry, candidate: RegisteredVersion, stage: str, decision: PromotionDecision) -> None:
    client = registry.connection.client
    if candidate.run_id:
        verdict = "approved" if decision.approved else "refused"
        client.set_tag(candidate.run_id, f"promotion_{stage.lower()}", verdict)
        client.set_tag(candidate.run_id, f"promotion_{stage.lower()}_reasons", "\n".join(decision.reasons)[:_LONGEST])
