"""A stored accident gives the logged probability again: exactly, or within what the log has left out."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accidents.bundle import Bundle
from accidents.errors import ModelError
from accidents.inference.reproduction import CONSISTENT, DIFFERENT, IDENTICAL, UNDECIDED, answered_accident, reproduce
from accidents.requests import parse_request
from serving.records.data_minimisation import DECIMALS, FULL, REDUCED, input_serialiser, serialise_derived
from tests.serving.in_process import synthetic_accidents
from tests.trained import small_models

ROUNDING = 10.0**-DECIMALS
FORGOTTEN = ("dep", "com", "lum", "lat", "long", "agg", "atm")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return small_models()["lightgbm"].trained.bundle


def logged(bundle: Bundle, content: dict[str, Any], detail: str) -> tuple[float, dict[str, Any]]:
    """The probability of an accident with its derived facts, and the accident as the log has it."""
    request = parse_request(content, derive=True)
    kept, inputs = input_serialiser(detail)(content)
    derived = orjson.loads(serialise_derived(request.derived, kept) or "[]")
    return float(bundle.predict(request.arrays)[0]), answered_accident(orjson.loads(inputs or "null"), derived)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 199), forgotten=st.sets(st.sampled_from(FORGOTTEN)))
def test_full_log_reproduces_every_answer(bundle: Bundle, number: int, forgotten: set[str]) -> None:
    content = synthetic_accidents()[number]
    accident = {name: value for name, value in content["accident"].items() if name not in forgotten}
    probability, stored = logged(bundle, {**content, "accident": accident}, FULL)
    assert reproduce(bundle, stored, probability, complete=True).verdict == IDENTICAL


def test_derived_facts_are_needed(bundle: Bundle) -> None:
    differing = 0
    for content in synthetic_accidents()[:30]:
        without = {name: value for name, value in content["accident"].items() if name not in {"lum", "dep"}}
        sent = {**content, "accident": without}
        probability, _ = logged(bundle, sent, FULL)
        differing += reproduce(bundle, sent, probability, complete=True).verdict == DIFFERENT
    assert differing > 10


def test_reduced_log_brackets_the_answer(bundle: Bundle) -> None:
    verdicts = []
    for content in synthetic_accidents()[:60]:
        probability, stored = logged(bundle, content, REDUCED)
        result = reproduce(bundle, stored, probability, complete=False, rounding=ROUNDING)
        assert (result.low <= probability + 1e-9 and probability - 1e-9 <= result.high) == (result.verdict != UNDECIDED)
        assert result.low <= result.probability <= result.high
        verdicts.append(result.verdict)
    assert verdicts.count(CONSISTENT) + verdicts.count(IDENTICAL) > 50


@pytest.mark.parametrize("name", ["lat", "long"])
def test_without_coordinates_the_reduced_log_is_exact(bundle: Bundle, name: str) -> None:
    content = synthetic_accidents()[3]
    accident = {key: value for key, value in content["accident"].items() if key not in {"lat", "long", name}}
    road = {key: value for key, value in content["road"].items() if key != "voie"}
    probability, stored = logged(bundle, {**content, "accident": accident, "road": road}, REDUCED)
    assert reproduce(bundle, stored, probability, complete=False, rounding=ROUNDING).verdict == IDENTICAL


def test_another_answer_is_different(bundle: Bundle) -> None:
    probability, stored = logged(bundle, synthetic_accidents()[0], FULL)
    wrong = math.nextafter(probability, 1) + 1e-6
    assert reproduce(bundle, stored, wrong, complete=True).verdict == DIFFERENT
    assert reproduce(bundle, stored, 0.999, complete=False, rounding=ROUNDING).verdict == UNDECIDED


def test_an_invalid_accident_is_one_sentence(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match="invalid for this version"):
        reproduce(bundle, {"lum": 9}, 0.5, complete=True)
