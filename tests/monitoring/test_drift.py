"""What monitoring finds, and what it does not: columns, seasons, outcomes, volume."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.bundle import Bundle
from accidents.bundle.reference import BANDS, MISSING_BIN, MONTHS, VALUES, Reference
from accidents.columns import MISSING, UNKNOWN
from accidents.configuration.loading import load_configuration
from accidents.configuration.monitoring import SeasonSettings
from accidents.errors import DataError
from accidents.features.array_columns import ARRAY_COLUMNS, COLUMN_POSITIONS, Entity
from accidents.monitoring.columns import column_of, departments, monitored_columns
from accidents.monitoring.counts import bin_accidents
from accidents.monitoring.drift import Change, compare_inputs
from accidents.monitoring.monitor import MonitoringResult, Window, monitor
from accidents.monitoring.performance import compare_outcomes
from accidents.monitoring.reference import count_inputs, roc_auc
from accidents.monitoring.season import matched_shares
from accidents.monitoring.statistics import compare_new_values, compare_share, compare_shares, false_discovery_adjusted
from tests.monitoring.monitored import held_out, monitored_model, resampled, taken, whole_window

pytestmark = [pytest.mark.slow, pytest.mark.traced]

CONFIGURED = load_configuration().monitoring


def look(window: Window, reference: Reference | None = None, profile: Reference | None = None) -> MonitoringResult:
    own = monitored_model().reference
    assert own is not None
    return monitor(window, reference or own, "call", CONFIGURED, None if profile is None else lambda: profile)


def with_column(window: Window, entity: Entity, name: str, values: np.ndarray) -> Window:
    rows = getattr(window.arrays, entity.value).copy()
    rows[:, COLUMN_POSITIONS[entity][name]] = values
    return replace(window, arrays=replace(window.arrays, **{entity.value: rows}))


def months_of(reference: Reference, months: range) -> Reference:
    """The reference without accidents of other months."""
    kept = np.isin(np.arange(MONTHS) + 1, [*months])
    return replace(
        reference, counts=reference.counts * kept[None, :, None, None], volume=reference.volume * kept[:12, None]
    )


def changes(result: MonitoringResult) -> set[tuple[str, Change]]:
    return {(finding.subject, finding.change) for finding in result.findings if finding.alarm}


def test_accidents_of_the_reference_itself_have_not_drifted() -> None:
    result = look(whole_window())
    assert not result.inputs.drifted
    assert result.inputs.drift_share == 0
    assert max(one.effect for one in result.inputs.columns) < 0.02


def test_resampled_accidents_raise_no_alarm() -> None:
    for seed in range(5):
        result = look(resampled(1000, seed))
        assert not result.alarm, result.findings


def test_counts_of_parts_are_those_of_the_whole() -> None:
    whole, reference = whole_window(), monitored_model().reference
    assert reference is not None
    rows = np.random.default_rng(0).permutation(len(whole.days))
    counted = count_inputs([whole.arrays.take(part) for part in (rows[:100], rows[100:900], rows[900:])], "call")
    own = [reference.columns.index(name) for name in counted.columns]
    assert np.array_equal(counted.counts, reference.counts[own])
    assert counted.design_effects == pytest.approx(reference.design_effects[own], rel=0.25)


def test_small_references_raise_few_alarms_and_find_a_new_vehicle() -> None:
    settings = CONFIGURED.model_copy(update={"season": SeasonSettings(accidents_of_month_at_least=1)})
    alarms = 0
    for seed in range(20):
        rows = np.random.default_rng(seed).permutation(len(whole_window().days))
        size = (100, 200, 300, 500)[seed % 4]
        small, other = (whole_window().arrays.take(part) for part in (rows[:size], rows[size:]))
        reference, window = (count_inputs([one], "call") for one in (small, other))
        alarms += bool(compare_inputs(window.counts, window.columns, reference, settings).drifted)
        vehicles = other.vehicles.copy()
        vehicles[:, COLUMN_POSITIONS[Entity.VEHICLES]["catv"]] = 60
        window = count_inputs([replace(other, vehicles=vehicles)], "call")
        assert compare_inputs(window.counts, window.columns, reference, settings).drifted[0].column == "vehicles.catv"
    assert alarms <= 1


def test_a_new_kind_of_vehicle_is_found_by_its_share() -> None:
    window = resampled(1200)
    kinds = column_of(window.arrays, Entity.VEHICLES, "catv")
    code = next(
        code
        for code in ARRAY_COLUMNS[Entity.VEHICLES]["catv"].categories
        if code not in column_of(whole_window().arrays, Entity.VEHICLES, "catv")
    )
    new = np.where(np.random.default_rng(0).random(len(kinds)) < 0.03, code, kinds)
    result = look(with_column(window, Entity.VEHICLES, "catv", new))
    assert ("vehicles.catv", Change.NEW_CODES) in changes(result)
    assert result.inputs.drift_share == pytest.approx(1 / len(result.inputs.columns))
    assert result.inputs_changed
    assert not result.label_changed


def test_a_column_that_is_not_recorded_and_one_that_callers_do_not_know_are_told_apart() -> None:
    for marker, change in ((MISSING, Change.MISSING), (UNKNOWN, Change.UNKNOWN)):
        window = with_column(resampled(500), Entity.ACCIDENT, "atm", np.full(500, marker))
        assert changes(look(window)) == {("accident.atm", change)}


def test_a_changed_code_list_is_found() -> None:
    window = resampled(800)
    shifted = column_of(window.arrays, Entity.ACCIDENT, "col") % 7 + 1
    assert ("accident.col", Change.DISTRIBUTION) in changes(look(with_column(window, Entity.ACCIDENT, "col", shifted)))


def test_other_outcomes_of_like_accidents_are_a_change_of_the_label_and_not_of_inputs() -> None:
    window = held_out()
    raised = np.where(np.random.default_rng(0).random(len(window.days)) < 0.3, 1.0, window.labels)
    result = look(replace(window, labels=raised))
    assert result.label_changed
    assert not result.inputs_changed
    assert result.outcomes is not None
    by_label = result.outcomes.by_label
    assert by_label.low > 0
    parts = result.outcomes.by_inputs + by_label.value
    assert parts == pytest.approx(result.outcomes.observed - result.outcomes.reference_observed)
    assert "label" in result.verdict


def test_outcomes_of_one_department_are_named_by_its_code() -> None:
    window = held_out(times=9)
    own = departments(window.arrays)
    largest = np.bincount(own[own >= 0]).argmax()
    result = look(replace(window, labels=np.where(own == largest, 1.0, window.labels)))
    (finding,) = [one for one in result.findings if one.change is Change.DEPARTMENTS]
    code = monitored_columns("call")[-3].describe(int(largest))
    assert f" {code} 100% observed" in finding.text


def test_departments_that_the_test_set_lacks_may_differ_by_what_departments_usually_do() -> None:
    rng, reference = np.random.default_rng(0), monitored_model().reference
    assert reference is not None
    untested, own = replace(reference, departments=np.zeros((0, 5))), np.repeat(np.arange(20), 2000)
    chance = 0.3 + rng.normal(0, 0.045, 20)[own]  # as the mean of a hundred accidents varies
    labels = (rng.random(len(own)) < chance).astype(float)
    outcomes = compare_outcomes(np.full(len(own), 0.3), labels, own, untested, CONFIGURED)
    assert outcomes is not None
    assert len(outcomes.departments) == 20
    assert min(one.p_value for one in outcomes.departments) > CONFIGURED.false_discovery_rate


def test_less_traffic_is_reported_and_is_no_drift() -> None:
    half = np.arange(0, len(whole_window().days), 2)
    result = look(taken(whole_window(), half))
    assert [one.change for one in result.findings if not one.alarm] == [Change.VOLUME]
    assert result.volume is not None
    assert result.volume.ratio == pytest.approx(0.5, abs=0.02)
    assert not result.inputs.drifted


def test_a_window_of_another_season_raises_no_alarm_and_names_its_months() -> None:
    reference = monitored_model().reference
    assert reference is not None
    month = column_of(whole_window().arrays, Entity.ACCIDENT, "mois")
    summer = taken(whole_window(), np.flatnonzero(np.isin(month, (7, 8, 9))))
    result = look(summer, months_of(reference, range(1, 7)), profile=reference)
    assert result.inputs.season.missing_months == (7, 8, 9)
    assert "Jul, Aug, Sep" in result.verdict
    assert not result.alarm
    for one in result.inputs.columns:
        assert {*one.changes} <= {*one.seasonal}  # another year's seasons explain whatever differs


def test_a_column_that_is_gone_is_an_alarm_in_any_season() -> None:
    reference = monitored_model().reference
    assert reference is not None
    month = column_of(whole_window().arrays, Entity.ACCIDENT, "mois")
    summer = taken(whole_window(), np.flatnonzero(np.isin(month, (7, 8, 9))))
    window = with_column(summer, Entity.ACCIDENT, "atm", np.full(len(summer.days), MISSING))
    assert changes(look(window, months_of(reference, range(1, 7)), reference)) == {("accident.atm", Change.MISSING)}


def test_too_few_accidents_are_refused() -> None:
    with pytest.raises(DataError, match="accidents_at_least"):
        look(resampled(CONFIGURED.accidents_at_least - 1))


def test_reference_of_a_model_file_is_that_of_its_training_and_changes_no_prediction() -> None:
    bundle = monitored_model()
    own = bundle.reference
    assert own is not None
    read = Bundle.from_bytes(bundle.to_bytes()).reference
    assert read is not None
    assert read.columns == own.columns
    np.testing.assert_array_equal(read.counts, own.counts)
    np.testing.assert_array_equal(read.departments, own.departments)
    without = replace(bundle, reference=None)
    assert without.prediction_digest() == bundle.prediction_digest()
    assert Bundle.from_bytes(without.to_bytes()).reference is None
    assert own.accidents == 1500
    assert own.counts[own.columns.index("accident.lum")].sum() == 1500


def test_counts_of_a_reference_that_are_none_are_refused() -> None:
    own = monitored_model().reference
    assert own is not None
    with pytest.raises(ValueError, match="reference"):
        Reference.from_bytes(replace(own, volume=own.volume[:5]).to_bytes())


def test_coded_accidents_count_selections_like_single_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    coded = bin_accidents(whole_window().arrays, monitored_columns("call"), whole_window().probability)
    rows = np.array([3, 3, 700, 12])
    np.testing.assert_array_equal(coded.count(rows), sum(coded.count(np.array([row])) for row in rows))
    whole = coded.count()
    assert whole.shape[1:] == (MONTHS, BANDS, VALUES)
    monkeypatch.setattr("accidents.monitoring.counts._BLOCK", 37)
    np.testing.assert_array_equal(coded.count(), whole)


def test_expected_shares_are_those_of_the_months_of_the_window() -> None:
    counts = np.zeros((MONTHS, BANDS, 2))
    counts[0, 1], counts[6, 1] = (90, 10), (10, 90)
    window = np.zeros((MONTHS, BANDS))
    window[6, 1] = 50
    shares, size = matched_shares(counts, window)
    assert shares.tolist() == [0.1, 0.9]
    assert size == 100


def test_p_values_are_uniform_where_nothing_differs() -> None:
    rng, shares = np.random.default_rng(0), np.array([0.5, 0.3, 0.15, 0.05])
    p_values = []
    for _ in range(2000):
        reference = rng.multinomial(3000, shares) / 3000
        p_values.append(compare_shares(rng.multinomial(800, shares).astype(float), reference, 3000).p_value)
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.015)


def test_values_that_a_small_reference_lacks_by_chance_are_rarely_new() -> None:
    rng, shares = np.random.default_rng(0), np.array([0.6, 0.2, *np.full(20, 0.01)])
    p_values, others = [], []
    for _ in range(2000):
        reference, window = rng.multinomial(100, shares) / 100, rng.multinomial(5000, shares).astype(float)
        p_values.append(compare_new_values(window, reference, 100, reference < 0.001).p_value)
        others.append(compare_shares(window, reference, 100).p_value)
    assert np.mean(np.array(p_values) < 0.01) <= 0.01
    assert np.mean(np.array(others) < 0.001) <= 0.003


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_a_reference_knows_shares_no_better_than_its_rows_do(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most + 1, (MONTHS, BANDS, 1)).astype(float)
    _, size = matched_shares(counts, rng.integers(0, 4, (MONTHS, BANDS)).astype(float))
    assert size <= counts.sum() * (1 + 1e-9)


def test_hours_of_a_small_reference_are_matched_where_its_months_are_not() -> None:
    counts = np.zeros((MONTHS, BANDS, 2))
    counts[:12, 1], counts[:12, 3] = (9, 0), (0, 3)  # light by day, dark by night
    window = np.zeros((MONTHS, BANDS))
    window[:12, 1], window[:12, 3] = 20, 20
    shares, _ = matched_shares(counts, window)
    assert shares.tolist() == pytest.approx([0.5, 0.5])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=2, max_size=8), st.integers(10, 10_000))
def test_effects_are_finite_and_zero_for_the_same_shares(counts: list[int], size: int) -> None:
    window = np.array(counts, dtype=float)
    if window.sum() > 0:
        same = compare_shares(window, window / window.sum(), size)
        assert same.effect == 0
        assert 0 <= same.p_value <= 1
    share = compare_share(counts[0], max(sum(counts), 1), 0.5, size)
    assert -0.5 <= share.effect <= 0.5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_no_smaller_and_keep_their_order(p_values: list[float]) -> None:
    adjusted = false_discovery_adjusted(p_values)
    assert all(after >= before for before, after in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


def test_roc_auc_and_its_error_agree_with_scikit_learn_and_the_bootstrap() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    labels = (rng.random(600) < 0.4).astype(float)
    probability = np.round(rng.random(600) * 0.6 + labels * 0.2, 2)
    value, error = roc_auc(labels, probability)
    assert value == pytest.approx(roc_auc_score(labels, probability))
    drawn = [rng.integers(600, size=600) for _ in range(300)]
    assert error == pytest.approx(np.std([roc_auc_score(labels[rows], probability[rows]) for rows in drawn]), rel=0.2)


def test_values_that_are_not_recorded_are_no_value_of_a_column() -> None:
    column = monitored_columns("call")[0]
    window = with_column(resampled(300), Entity.ACCIDENT, column.name.partition(".")[2], np.full(300, MISSING))
    assert set(column.bins(window.arrays)) == {MISSING_BIN}


def test_accidents_of_months_that_the_reference_lacks_are_left_out_where_others_are_enough() -> None:
    reference = monitored_model().reference
    assert reference is not None
    result = look(whole_window(), months_of(reference, range(1, 10)))
    assert result.inputs.season.missing_months == (10, 11, 12)
    assert not result.inputs.season.unmatched
    assert not result.inputs.drifted
    window = with_column(whole_window(), Entity.ACCIDENT, "col", np.full(1500, 3))
    assert ("accident.col", Change.DISTRIBUTION) in changes(look(window, months_of(reference, range(1, 10))))


def test_a_lucky_test_set_raises_no_alarm_in_window_after_window() -> None:
    window, own = held_out(times=9), monitored_model().reference
    assert own is not None
    lucky = replace(own, roc_auc=own.roc_auc + np.array([3 * own.roc_auc[1], 0]))
    assert Change.ROC_AUC not in {one.change for one in look(window, lucky).findings}
    worse = replace(window, probability=np.random.default_rng(0).permutation(window.probability))
    assert Change.ROC_AUC in {one.change for one in look(worse, lucky).findings}
