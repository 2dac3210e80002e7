"""A candidate of a retraining: compared by the promotion rule, then promoted, rejected, or left for a person."""

from dataclasses import dataclass

from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.stages import PRODUCTION, STAGING
from tracking import ledger
from tracking.errors import RegistryError
from tracking.ledger import LedgerEntry
from tracking.promotion import EvaluationData, evaluate_candidate, promote_if_approved
from tracking.registry import RegisteredVersion, Registry
from tracking.stages import transition

WAIT = "wait"


@dataclass(frozen=True)
class CandidateOutcome:
    """What became of a candidate: the stage that it took, or None; whether the rule approves it; and why."""

    stage: str | None
    approved: bool
    reasons: tuple[str, ...]


def judge_candidate(
    registry: Registry,
    candidate: RegisteredVersion,
    approved_candidate: str,
    data: EvaluationData,
    evaluation: EvaluationSettings,
    rule: PromotionSettings,
) -> CandidateOutcome:
    """Compare a candidate with the incumbent on accidents that are new to both, and promote it where configured.

    A candidate that holds the stage already, from a command that was killed after the promotion, keeps it.

    Args:
        registry: the registry.
        candidate: the new version.
        approved_candidate: the stage of an approved candidate, or `WAIT`.
        data: labelled accidents.
        evaluation: settings of the evaluation.
        rule: the promotion rule.

    Raises:
        DataError: too few accidents are new to both.
        RegistryError: the incumbent has changed meanwhile.
    """
    stage = PRODUCTION if approved_candidate == WAIT else approved_candidate
    if candidate.stage in {stage, PRODUCTION}:
        return CandidateOutcome(candidate.stage, True, (f"{candidate.title} is in {candidate.stage} already",))
    result = evaluate_candidate(registry, candidate, stage, data, evaluation, rule)
    approved, reasons = result.decision.approved, result.entry.reasons
    if not approved or approved_candidate == WAIT:
        return CandidateOutcome(None, approved, reasons)
    promote_if_approved(registry, result)
    return CandidateOutcome(stage, True, reasons)


def approve_candidate(
    registry: Registry, candidate: RegisteredVersion, incumbent: str | None, reasons: tuple[str, ...]
) -> LedgerEntry:
    """Move a candidate that a person approves to Production; the ledger has who and why.

    Args:
        registry: the registry.
        candidate: the version.
        incumbent: number of the version in Production that it was compared with.
        reasons: why.

    Raises:
        RegistryError: another version is in Production than the candidate was compared with.
    """
    holder = registry.holder(candidate.name, PRODUCTION)
    current = holder.version if holder else None
    if current != incumbent:
        raise RegistryError(
            f"{candidate.title} was compared with version {incumbent}, and {current or 'none'} is in Production now: "
            "compare them (python run.py registry auto-promote)"
        )
    entry = LedgerEntry("promote", candidate.name, candidate.version, PRODUCTION, None, True, reasons)
    return transition(registry, candidate, PRODUCTION, entry, holder)


def reject_candidate(registry: Registry, candidate: RegisteredVersion, reasons: tuple[str, ...]) -> None:
    """Record in the ledger that a person rejects a candidate; it keeps its stage."""
    stage = candidate.stage if candidate.stage == STAGING else PRODUCTION
    entry = LedgerEntry("reject", candidate.name, candidate.version, stage, None, False, reasons)
    ledger.append(registry.connection, entry)
