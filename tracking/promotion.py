"""Promotion by rule: evaluate a candidate against the holders of its stages on the same accidents, and promote it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.source import SAMPLE
from accidents.configuration.stages import NONE, PRODUCTION, STAGING
from accidents.errors import DataError
from accidents.promotion.decision import PromotionDecision, decide
from accidents.promotion.held_out_evaluation import best_model, evaluate_held_out
from tracking import ledger
from tracking.errors import RegistryError
from tracking.ledger import LedgerEntry
from tracking.registry import RegisteredVersion, Registry
from tracking.stages import transition

MEASURED_ON = "measured on"
"""How the reason of a decision begins that names its data; the checks of the rule follow."""

_MAX_TAG_CHARACTERS = 4_000


@dataclass(frozen=True)
class EvaluationData:
    """Labelled accidents for evaluations.

    Attributes:
        features: one row an accident.
        accidents: the accidents with labels, in the same order.
        source: where they come from, as typed.
    """

    features: pd.DataFrame
    accidents: pd.DataFrame
    source: str


@dataclass(frozen=True)
class PromotionEvaluation:
    """Evaluation of a candidate for a stage.

    Attributes:
        candidate: the version evaluated.
        stage: the stage it is evaluated for.
        holder: the holder of the stage at that time.
        decision: decision of the promotion rule.
        entry: its ledger entry.
    """

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
    """Evaluate a candidate and the incumbents on held-out accidents, apply the rule, and record the decision.

    The decision is appended to the ledger and set as tags of the candidate's MLflow run.

    Raises:
        DataError: too few accidents that are in no training set of the models.
        RegistryError: a model of real accidents would be evaluated on synthetic ones, or an incumbent has another
            level of information.
    """
    holder = registry.holder(candidate.name, stage)
    incumbents = _incumbents(registry, candidate, rule)
    reject_synthetic_source(data.source, (candidate, *incumbents))
    bundles: dict[str, Bundle] = {one.title: registry.load_evaluated_bundle(one) for one in (candidate, *incumbents)}
    held_out = evaluate_held_out(bundles, data.features, data.accidents, evaluation, rule)
    incumbent = best_model(held_out, [one.title for one in incumbents], rule.improvement.metric)
    if holder and holder.version == candidate.version:
        incumbent = held_out.models[candidate.title]
    difference = held_out.differences.get(incumbent.name) if incumbent else None
    decision = decide(held_out.models[candidate.title], incumbent, difference, rule)
    entry = LedgerEntry(
        "evaluate",
        candidate.name,
        candidate.version,
        stage,
        holder.version if holder else None,
        decision.approved,
        (
            f"{MEASURED_ON} {held_out.accidents:,} accidents of {data.source} held out from every model",
            *decision.reasons,
        ),
        decision.figures,
    )
    ledger.append(registry.connection, entry)
    _tag_run(registry, candidate, stage, decision)
    return PromotionEvaluation(candidate, stage, holder, decision, entry)


def promote_if_approved(registry: Registry, result: PromotionEvaluation) -> LedgerEntry | None:
    """Move an approved candidate to its stage; does nothing and returns None if it was refused.

    Raises:
        RegistryError: the holder of the stage has changed since the evaluation, or another process is changing the
            model.
    """
    if not result.decision.approved:
        return None
    own = result.entry
    entry = LedgerEntry("promote", own.model, own.version, own.stage, None, True, own.reasons, own.figures)
    return transition(registry, result.candidate, result.stage, entry, result.holder)


def automatic_stages(rule: PromotionSettings) -> list[str]:
    """Stages to which new versions are promoted automatically if the rule approves; Staging first."""
    enabled = {STAGING: rule.auto_transition_to_staging, PRODUCTION: rule.auto_transition_to_production}
    return [stage for stage, on in enabled.items() if on]


def promote_new_versions(
    registry: Registry,
    registered: Mapping[str, Mapping[str, Any]],
    data: EvaluationData,
    evaluation: EvaluationSettings,
    rule: PromotionSettings,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Evaluate new versions for the stages of `automatic_stages`, and promote those that are approved.

    A version that has a stage already, from an earlier run of the same training, is skipped.

    Returns:
        By model type and stage: `version`, `approved`, `reasons`.
    """
    decisions: dict[str, dict[str, dict[str, Any]]] = {}
    for model_type, entry in registered.items():
        for stage in automatic_stages(rule):
            if not entry["version"]:
                continue
            candidate = registry.version(entry["name"], entry["version"])
            if candidate.stage not in {NONE, STAGING} or candidate.stage == stage:
                continue
            try:
                result = evaluate_candidate(registry, candidate, stage, data, evaluation, rule)
                promote_if_approved(registry, result)
                approved, reasons = result.decision.approved, list(result.decision.reasons)
            except (DataError, RegistryError) as error:
                approved, reasons = False, [str(error)]
            decision = {"version": candidate.version, "approved": approved, "reasons": reasons}
            decisions.setdefault(model_type, {})[stage] = decision
    return decisions


def _incumbents(registry: Registry, candidate: RegisteredVersion, rule: PromotionSettings) -> list[RegisteredVersion]:
    """Holders of the stages that the rule compares with, without the candidate itself.

    Raises:
        RegistryError: one of them has another level of information, so that metrics cannot be compared.
    """
    holders = [registry.holder(candidate.name, other) for other in rule.improvement.over]
    incumbents = [one for one in holders if one and one.version != candidate.version]
    for one in incumbents:
        theirs, own = one.tags.get("level"), candidate.tags.get("level")
        if theirs != own:
            raise RegistryError(
                f"{candidate.title} is of level {own}, {one.title} in {one.stage} of level {theirs}: their figures "
                "cannot be compared; train one with --level of the other, or use 'registry transition'"
            )
    return incumbents


def reject_synthetic_source(source: str, versions: Iterable[RegisteredVersion]) -> None:
    """Reject the synthetic sample as data for models that were trained on real accidents.

    Raises:
        RegistryError: the source is the synthetic sample, and a version was trained on real accidents.
    """
    for one in versions:
        if source == SAMPLE and not one.synthetic:
            raise RegistryError(
                f"{one.title} was trained on real accidents ({one.tags.get('source', 'not recorded')}), and those to "
                f"measure on ({source}) are synthetic: name real ones with --source, and --years where needed"
            )


def _tag_run(registry: Registry, candidate: RegisteredVersion, stage: str, decision: PromotionDecision) -> None:
    client = registry.connection.client
    if candidate.run_id:
        verdict = "approved" if decision.approved else "refused"
        client.set_tag(candidate.run_id, f"promotion_{stage.lower()}", verdict)
        reasons = "\n".join(decision.reasons)[:_MAX_TAG_CHARACTERS]
        client.set_tag(candidate.run_id, f"promotion_{stage.lower()}_reasons", reasons)
