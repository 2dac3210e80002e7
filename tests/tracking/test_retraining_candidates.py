"""What becomes of the candidate of a retraining: refused, waiting, in a stage, approved or rejected by a person."""

from collections.abc import Iterator

import pytest

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGING
from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import EVALUATION, NAME, SOURCE, consistent_stages, delete_all_models, transition_to
from tests.tracking.test_final_models import LENIENT, record
from tests.trained import small_year
from tests.training.test_final_model import final_model
from tracking.connection import connect
from tracking.errors import RegistryError
from tracking.ledger import read_entries
from tracking.promotion import EvaluationData
from tracking.registration import record_and_register
from tracking.registry import Registry
from tracking.retraining import WAIT, CandidateOutcome, approve_candidate, judge_candidate, reject_candidate
from tracking.tracking_uri import TrackingTarget

pytestmark = pytest.mark.long


@pytest.fixture
def registry(embedded_store: TrackingTarget) -> Iterator[Registry]:
    """A registry with version 1 in Production, and version 2, which is as good."""
    with connect(TrackingSettings(), embedded_store) as connection:
        delete_all_models(connection)
        for final in (final_model("lightgbm"), None):
            record_and_register(connection, record(final), TrackingSettings())
        registry = Registry(connection)
        transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
        yield registry


def judge(registry: Registry, approved: str, **rule: object) -> CandidateOutcome:
    accidents, features = small_year()
    data = EvaluationData(features, accidents.accidents, SOURCE)
    candidate = registry.version(NAME, "2")
    return judge_candidate(registry, candidate, approved, data, EVALUATION, LENIENT.model_copy(update=rule))


def test_a_refused_candidate_takes_no_stage_and_has_the_reasons(registry: Registry) -> None:
    outcome = judge(registry, PRODUCTION, floors={"roc_auc": 1.0})
    assert (outcome.stage, outcome.approved) == (None, False)
    assert "ROC-AUC" in " ".join(outcome.reasons)
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": NONE}


def test_an_approved_candidate_waits_or_takes_the_configured_stage_once(registry: Registry) -> None:
    outcome = judge(registry, WAIT)
    assert (outcome.stage, outcome.approved) == (None, True)
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": NONE}
    assert judge(registry, STAGING).stage == STAGING
    entries = len(read_entries(registry.connection))
    assert judge(registry, STAGING).stage == STAGING  # after a kill: nothing is done twice
    assert len(read_entries(registry.connection)) == entries
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": STAGING}


def test_an_approved_candidate_goes_straight_to_production_where_it_may(registry: Registry) -> None:
    outcome = judge(registry, PRODUCTION)
    assert (outcome.stage, outcome.approved) == (PRODUCTION, True)
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION}
    entries = read_entries(registry.connection)
    assert (entries[-1].action, entries[-1].version, entries[-1].previous) == ("promote", "2", "1")
    assert judge(registry, PRODUCTION).stage == PRODUCTION  # after a kill: nothing is done twice
    assert read_entries(registry.connection) == entries


def test_a_person_decides_and_the_ledger_has_who_and_why(registry: Registry) -> None:
    candidate = registry.version(NAME, "2")
    reject_candidate(registry, candidate, ("outcomes are wrong",))
    rejected = read_entries(registry.connection, NAME)[-1]
    assert (rejected.action, rejected.version, rejected.approved) == ("reject", "2", False)
    assert rejected.reasons == ("outcomes are wrong",)
    assert rejected.who
    assert consistent_stages(registry) == {"1": PRODUCTION, "2": NONE}
    with pytest.raises(RegistryError, match="was compared with version 7"):
        approve_candidate(registry, candidate, "7", ("better",))
    approve_candidate(registry, candidate, "1", ("better",))
    assert read_entries(registry.connection, NAME)[-1].reasons == ("better",)
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION}
