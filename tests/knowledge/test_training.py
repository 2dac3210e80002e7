"""Models that have learned to answer where fields are unknown, and such that have not, on the same accidents."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.bundle import Bundle
from accidents.bundle.archive import read_archive, write_archive
from accidents.errors import ModelError
from accidents.features.arrays import Arrays, to_arrays
from accidents.knowledge.masks import FIELDS, KNOWN, NAMED_MASKS, all_but
from accidents.models import model_types
from accidents.training import train
from tests.trained import small_year
from tests.training.conftest import quick

pytestmark = pytest.mark.slow

LINEAR = "logistic_regression"


@cache
def trained(name: str, *, partial: bool = True, geography: bool = True) -> Bundle:
    accidents, features = small_year()
    details = accidents if partial else None
    return train(
        name, features, accidents.accidents, quick(), level="call", geography=geography, details=details
    ).bundle


@cache
def whole() -> Arrays:
    return to_arrays(small_year()[0])


def masked(name: str) -> Arrays:
    return NAMED_MASKS[name](whole(), np.random.default_rng(0)).apply(whole())


def test_where_everything_is_known_nothing_changes() -> None:
    with_partial, without = trained(LINEAR), trained(LINEAR, partial=False)
    assert with_partial.predict(whole()).tobytes() == without.predict(whole()).tobytes()
    assert with_partial.threshold == without.threshold
    assert with_partial.columns == without.columns
    assert without.partial is None
    assert (without.share_known(without.matrix(whole()), whole()) == 1).all()


def test_models_of_all_types_answer_alike_where_something_is_unknown() -> None:
    arrays = masked("a third missing at random")
    partial = trained("lightgbm").is_partial(trained("lightgbm").matrix(arrays))
    expected, questions = trained("lightgbm").predict(arrays), trained("lightgbm").questions
    for name in ("random_forest", LINEAR):
        bundle = trained(name)
        np.testing.assert_array_equal(bundle.predict(arrays)[partial], expected[partial])
        assert bundle.questions
        assert questions
        assert bundle.questions.to_bytes() == questions.to_bytes()
        assert not np.allclose(bundle.predict(whole()), trained("lightgbm").predict(whole()), atol=1e-2)


def test_a_file_whose_base_is_of_the_type_of_the_model_still_answers() -> None:
    bundle = trained("xgboost")
    assert bundle.partial
    own = replace(bundle, partial=replace(bundle.partial, base=bundle.model))
    manifest, sections = read_archive(own.to_bytes(), "model")
    facts = sections["partial/knowledge.json"]
    older = type(facts)(facts.content.replace(b', "base_type": "xgboost"', b""), optional=True)
    assert older.content != facts.content
    loaded = Bundle.from_bytes(write_archive(manifest, sections | {"partial/knowledge.json": older}))
    arrays = masked("bystander")
    for one in (loaded, Bundle.from_bytes(loaded.to_bytes())):
        np.testing.assert_array_equal(one.predict(arrays), own.predict(arrays))


@pytest.mark.parametrize("name", model_types())
def test_an_unknown_place_is_no_danger(name: str) -> None:
    arrays, labels = masked("bystander, department alone"), small_year()[0].accidents["priority"].to_numpy()
    bundle = trained(name)
    probability = bundle.predict(arrays)
    assert probability.mean() == pytest.approx(labels.mean(), abs=0.1)  # a small validation set
    assert 0.1 < (probability >= bundle.threshold).mean() < 0.9
    assert Bundle.from_bytes(bundle.to_bytes()).predict(arrays).tobytes() == probability.tobytes()


@pytest.mark.parametrize("name", model_types())
def test_contributions_add_up_to_the_raw_score(name: str) -> None:
    bundle = trained(name)
    for arrays in (whole().take(np.arange(5)), masked("bystander").take(np.arange(5))):
        X = bundle.matrix(arrays)
        margin = bundle.predict_margin(X)
        score = margin if bundle.shap_unit(X[:1]) == "log-odds" else 1 / (1 + np.exp(-margin))
        np.testing.assert_allclose(bundle.shap_values(X).sum(axis=1), score, atol=1e-5)


def test_rows_do_not_depend_on_their_neighbours() -> None:
    bundle = trained(LINEAR)
    X = np.concatenate([bundle.matrix(whole())[:20], bundle.matrix(masked("a third missing at random"))[:20]])
    together = bundle.predict_proba(X)
    assert [float(bundle.predict_proba(row[None])[0]) for row in X] == together.tolist()


def test_a_model_without_places_answers_too() -> None:
    bundle = trained(LINEAR, geography=False)
    assert bundle.partial is not None
    assert not {"known_department", "known_commune", "known_position"} & {*bundle.matrix_columns}
    X = bundle.matrix(masked("bystander, department alone"))
    assert bundle.is_partial(X).all()
    assert not bundle.is_partial(bundle.matrix(masked("department alone"))).any()


def test_the_same_training_gives_the_same_model() -> None:
    accidents, features = small_year()
    again = train(LINEAR, features, accidents.accidents, quick(), level="call", details=accidents).bundle
    partial, other = again.partial, trained(LINEAR).partial
    assert partial is not None
    assert other is not None
    assert (partial.calibration, partial.weights) == (other.calibration, other.weights)
    assert partial.correction.to_sections() == other.correction.to_sections()


@given(st.data())
@settings(deadline=None, max_examples=20)
def test_the_more_is_known_the_greater_the_share(data: st.DataObject) -> None:
    bundle, arrays = trained(LINEAR, partial=data.draw(st.booleans())), whole().take(np.arange(3))
    names = sorted({name for fields in FIELDS.values() for name in fields})
    more = data.draw(st.sets(st.sampled_from(names)))
    fewer = data.draw(st.sets(st.sampled_from(sorted(more)))) if more else set[str]()

    def share(known: set[str]) -> np.ndarray:
        left = all_but(arrays, known).apply(arrays)
        return bundle.share_known(bundle.matrix(left), left)

    assert (share(fewer) <= share(more) + 1e-12).all()
    assert (share(set()) >= 0).all()
    np.testing.assert_allclose(share({*KNOWN["everything"]}), 1)


def test_a_reader_may_ignore_the_partial_model() -> None:
    bundle = trained(LINEAR)
    manifest, sections = read_archive(bundle.to_bytes(), "model")
    assert all(section.optional for name, section in sections.items() if name.startswith("partial/"))
    rest = {name: section for name, section in sections.items() if not section.optional}
    assert 0 < len(rest) < len(sections)
    without = Bundle.from_bytes(write_archive(manifest, rest))
    assert without.partial is None
    assert without.predict(whole()).tobytes() == bundle.predict(whole()).tobytes()


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (b'"weights": [', b'"weights": [2.0, '),
        (b'"offsets": [', b'"offsets": [1.0, '),
        (b'"digest": "', b'"digest": "0'),
        (b'"intercept": ', b'"intercept": NaN, "other": '),
    ],
)
def test_a_damaged_partial_model_is_refused(text: bytes, other: bytes) -> None:
    manifest, sections = read_archive(trained(LINEAR).to_bytes(), "model")
    facts = sections["partial/knowledge.json"]
    assert text in facts.content
    damaged = type(facts)(facts.content.replace(text, other, 1), optional=True)
    with pytest.raises(ModelError, match="cannot be used"):
        Bundle.from_bytes(write_archive(manifest, sections | {"partial/knowledge.json": damaged}))
