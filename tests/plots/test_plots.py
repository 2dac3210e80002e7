"""Figures: labelled, with a source note, small, reproducible, without pyplot."""

import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from accidents.columns import ATTRIBUTION
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.monitoring import MonitoringSettings
from accidents.evaluation.curves import cheapest_threshold
from accidents.evaluation.evaluate import evaluate
from accidents.explanation.reasons import Waterfall, explain_prediction
from accidents.explanation.topics import feature_name
from accidents.features.array_columns import COLUMN_POSITIONS, Entity
from accidents.features.catalogue import CATALOGUE
from accidents.monitoring.monitor import monitor
from accidents.monitoring.summary import summarise
from accidents.plots import (
    data_quality,
    drift,
    explanation,
    exploration,
    groups,
    maps,
    model_selection,
    performance,
    severity,
    style,
)
from accidents.plots.style import BLUE, ORANGE, SERIES_STYLES, source_note, subplots, to_png, to_svg
from benchmarks import classic_protocol, learning_curve
from tests.monitoring.monitored import held_out, monitored_model
from tests.trained import small_models, small_year

pytestmark = pytest.mark.slow

NOTE = source_note(synthetic=False)
ROUNDING = 1e-6
APART = 4  # pixels at 100 an inch


def evaluation(size=600, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.beta(1.2, 2.1, size)
    departments = pd.DataFrame({"dep": rng.choice([f"{number:02d}" for number in range(1, 30)], size)})
    settings = EvaluationSettings(resamples=20, group_resamples=10, smallest_group=10)
    labels = (rng.random(size) < truth).astype(np.int8)
    return evaluate(labels, truth, 0.4, groups=departments, settings=settings)


EVALUATION = evaluation()
TWO = {"One": EVALUATION, "Other": evaluation(seed=1)}
RANKED = pd.DataFrame(
    {
        "feature": ["light", "hour"],
        "importance": [0.3, 0.1],
        "low": [0.2, 0.05],
        "high": [0.4, 0.2],
        "share": [0.7, 0.3],
    }
)
VALUES = pd.DataFrame({"light": [1.0, 2, np.nan, 1], "hour": [3.0, 3, 3, 3]})
CONTRIBUTIONS = pd.DataFrame({"light": [0.1, -0.2, 0.3, 0.1], "hour": [0.0, 0.1, 0.0, -0.1]})
LONG_NAMES = [name for name in map(feature_name, CATALOGUE) if len(name) > 42][:12]
CROWDED = pd.DataFrame(np.random.default_rng(0).normal(0, 0.3, (50, len(LONG_NAMES))), columns=LONG_NAMES)

LEARNING_CURVE = pd.DataFrame({"accidents": [700, 7000], "training": [0.95, 0.9], "test": [0.8, 0.84]})
PROTOCOL_METRICS = pd.DataFrame(
    [
        (model, protocol, value, value - 0.1)
        for model, values in {"LightGBM": (0.83, 0.81, 0.85), "Forest": (0.82, 0.8, 0.84)}.items()
        for protocol, value in zip(classic_protocol.PROTOCOLS, values, strict=True)
    ],
    columns=["model", "protocol", "roc_auc", "f1"],
)
RULE_REPORT = pd.DataFrame(
    {
        "file": ["usagers-2024.csv", "lieux-2024.csv"],
        "column": ["grav", ""],
        "check": ["not allowed; allowed is a long list of many words that goes on and on and on and on " * 2, "torn"],
        "rows": [3, 20000],
        "action": ["set to missing", "quarantined"],
    }
)


def year():
    return small_year()[0]


def one_prediction() -> Waterfall:
    scored = small_models()["lightgbm"]
    return explain_prediction(scored.trained.bundle, scored.X[0])


def monitored():
    """A window of labelled accidents, in which all cars are mopeds and every accident is priority."""
    window, model = held_out(3), monitored_model()
    vehicles = window.arrays.vehicles.copy()
    vehicles[:, COLUMN_POSITIONS[Entity.VEHICLES]["catv"]] = 2
    changed = replace(window, arrays=replace(window.arrays, vehicles=vehicles), labels=np.ones(len(window.labels)))
    results = [monitor(one, model.reference, "call", MonitoringSettings()) for one in (window, changed)]
    return [summarise(result, "sample") for result in results]


FIGURES = {
    "windows": lambda: drift.windows_over_time(monitored(), NOTE),
    "column effects": lambda: drift.column_effects(*monitored(), 0.2, NOTE),
    "department outcomes": lambda: drift.department_outcomes(monitored()[1], NOTE),
    "confusion": lambda: performance.confusion_matrix(EVALUATION, NOTE),
    "roc": lambda: performance.roc_curve(TWO, NOTE),
    "precision_recall": lambda: performance.precision_recall_curve(TWO, NOTE),
    "calibration": lambda: performance.calibration_curve(TWO, NOTE),
    "thresholds": lambda: performance.threshold_curve(EVALUATION, NOTE),
    "models": lambda: performance.model_comparison(TWO, NOTE),
    "groups": lambda: groups.group_metrics(EVALUATION.groups["dep"], EVALUATION, "department", NOTE),
    "group calibration": lambda: groups.group_calibration(EVALUATION.groups["dep"], "department", NOTE),
    "importance": lambda: explanation.importance(RANKED, "log-odds", 15, "What moves it", NOTE),
    "beeswarm": lambda: explanation.beeswarm(VALUES, CONTRIBUTIONS, "log-odds", 15, NOTE),
    "crowded beeswarm": lambda: explanation.beeswarm(CROWDED, CROWDED, "log-odds", 15, NOTE),
    "learning": lambda: learning_curve.plot_learning_curve(LEARNING_CURVE, "LightGBM", NOTE),
    "threshold_costs": lambda: model_selection.threshold_costs(EVALUATION, NOTE),
    "protocols": lambda: classic_protocol.plot_protocols(PROTOCOL_METRICS, NOTE),
    "hours": lambda: severity.by_hour_and_weekday(exploration.priority_by_hour_and_weekday(year().accidents), NOTE),
    "roads": lambda: severity.by_road_and_light(exploration.priority_by_road_and_light(year().accidents), NOTE),
    "parties": lambda: severity.by_parties(exploration.priority_by_parties(year()), NOTE),
    "map": lambda: maps.accident_map(year().accidents, NOTE),
    "risk": lambda: maps.risk_map(year().accidents, np.full(len(year().accidents), 0.3), NOTE),
    "missing": lambda: data_quality.missing_values(exploration.missing_values(year()), 25, NOTE),
    "caught": lambda: data_quality.rule_violations(RULE_REPORT, 12, NOTE),
    "waterfall": lambda: explanation.waterfall(one_prediction(), 10, NOTE),
}


@pytest.fixture(params=FIGURES)
def draw(request):
    return FIGURES[request.param]


@pytest.fixture
def figure(draw):
    return draw()


def test_axes_are_labelled_and_the_source_is_named(figure):
    assert figure.get_suptitle()
    assert " ".join(figure.get_supxlabel().split()) == NOTE
    bars = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    *above, lowest = [axes for axes in figure.axes if axes not in bars]
    assert lowest.get_xlabel()
    assert all(axes.get_xlabel() or axes.get_ylabel() for axes in above + bars)


def test_nothing_is_cut_off_at_the_edge(figure):
    figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.bbox_inches
    assert page.x0 <= drawn.x0
    assert page.y0 <= drawn.y0
    assert drawn.x1 <= page.x1
    assert drawn.y1 <= page.y1


def named(axis):
    low, high = sorted(axis.get_view_interval())
    ticks = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [label.get_window_extent().padded(APART / 2) for label in ticks if label.get_visible() and label.get_text()]


def test_tick_labels_do_not_touch(figure):
    figure.draw_without_rendering()
    boxes = [box for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for box in named(axis)]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_svg_is_small_well_formed_scalable_and_the_same_each_time(draw):
    svg = to_svg(draw())
    root = ET.fromstring(svg)  # noqa: S314 - drawn here
    assert root.get("viewBox")
    assert root.get("width") is None
    assert "<metadata>" not in svg
    assert len(svg) < 150_000
    assert to_svg(draw()) == svg


def test_a_standalone_svg_has_the_size_of_its_figure():
    figure = FIGURES["roc"]()
    rendered = style.render_figure(figure)
    root = ET.fromstring(rendered.standalone_svg)  # noqa: S314 - drawn here
    size = [float(root.get(name).removesuffix("pt")) / 72 for name in ("width", "height")]
    assert size == pytest.approx(figure.get_size_inches())
    assert rendered.title == figure.get_suptitle()


def test_png_has_its_signature():
    assert to_png(FIGURES["roc"]()).startswith(b"\x89PNG")


def test_pyplot_is_never_and_matplotlib_only_lazily_imported():
    program = (
        "import sys; from accidents.plots import data_quality, explanation, groups, maps, model_selection, performance;"
        "from accidents.plots import severity, style;"
        "assert 'matplotlib' not in sys.modules; style.subplots('title', 'source');"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_source_note_marks_synthetic_accidents():
    assert source_note(synthetic=True).startswith("Synthetic")
    assert ATTRIBUTION in source_note(synthetic=True)
    assert "ynthetic" not in NOTE


def test_series_differ_without_colour():
    assert len({str(series["linestyle"]) for series in SERIES_STYLES}) == len(SERIES_STYLES)


def test_the_chosen_threshold_is_marked_on_the_roc():
    axes = performance.roc_curve({"One": EVALUATION}, NOTE).axes[0]
    dot = next(line for line in axes.lines if line.get_marker() == "o")
    assert dot.get_ydata()[0] == pytest.approx(EVALUATION.recall)


@pytest.mark.parametrize("name", ["roc", "precision_recall"])
def test_dots_and_the_line_of_chance_are_in_the_legend(name):
    assert FIGURES[name]().axes[0].get_legend_handles_labels()[1][-2:] == ["threshold in use", "chance"]


@pytest.mark.parametrize("away", [-0.015, 0, 0.015])
def test_the_threshold_in_use_runs_through_no_value(away):
    cheapest = cheapest_threshold(EVALUATION, 1)[0]
    near = EVALUATION.model_copy(update={"threshold": cheapest + away})
    figure = model_selection.threshold_costs(near, NOTE, miss_weights=[1])
    figure.draw_without_rendering()
    axes = figure.axes[0]
    line = axes.transData.transform((near.threshold, 0))[0]
    (value,) = [text.get_window_extent() for text in axes.texts if text.get_text() == f"{cheapest:.2f}"]
    assert not value.x0 <= line <= value.x1


def swarm_colours(name, values):
    figure = explanation.beeswarm(pd.DataFrame({name: values}), pd.DataFrame({name: [0.1, -0.2, 0.3]}), "", 1, NOTE)
    return [to_hex(colour) for colour in figure.axes[0].collections[0].get_facecolors()]


def test_codes_in_no_order_have_one_colour_and_numbers_run_from_low_to_high():
    light, speed = feature_name("lum"), feature_name("vma")
    one, other, unknown = swarm_colours(light, [1, 5, np.nan])
    assert one == other != unknown
    assert swarm_colours(speed, [30, 90, np.nan]) == [BLUE, ORANGE, unknown]


def test_the_largest_effects_are_on_top_of_the_swarm():
    labels = [label.get_text() for label in FIGURES["beeswarm"]().axes[0].get_yticklabels()]
    assert labels == ["light", "hour"]


def test_models_with_undefined_figures_can_be_drawn():
    rng = np.random.default_rng(0)
    settings = EvaluationSettings(resamples=20, group_resamples=10)
    one_class = evaluate(np.zeros(80, np.int8), rng.random(80), 0.5, groups=None, settings=settings)
    assert "not defined" in to_svg(performance.roc_curve({"One": one_class}, NOTE))
    assert to_svg(performance.model_comparison({"One": one_class}, NOTE))
    many = pd.DataFrame({"mois": rng.integers(1, 3, 80)})
    by_month = evaluate(np.zeros(80, np.int8), rng.random(80), 0.5, groups=many, settings=settings).groups["mois"]
    assert to_svg(groups.group_metrics(by_month, one_class, "month", NOTE))


def test_many_groups_are_sorted_by_share():
    axes = FIGURES["groups"]().axes[0]
    assert len(EVALUATION.groups["dep"]) > groups.SORTED_ABOVE
    lowest = min(EVALUATION.groups["dep"], key=lambda group: group.prevalence)
    assert re.match(rf"{lowest.name}\b", axes.get_yticklabels()[0].get_text())


def test_a_cell_of_few_accidents_shows_no_share():
    shares = pd.DataFrame(
        {"road": ["a", "b"], "light": ["c", "c"], "n": [severity.MIN_ACCIDENTS - 1, 400], "share": [0.9, 0.31]}
    )
    texts = [text.get_text() for text in severity.by_road_and_light(shares, NOTE).axes[0].texts]
    assert texts == ["31%", "400"]


def test_the_map_says_how_many_accidents_it_does_not_show():
    rows = pd.DataFrame({"lat": [48.9, -21.0, np.nan], "long": [2.3, 55.5, np.nan], "priority": [1, 0, 1]})
    assert "1 accidents, 2 elsewhere" in maps.accident_map(rows, NOTE).axes[0].get_xlabel()


@pytest.mark.parametrize("name", ["map", "risk"])
def test_no_hexagon_is_cut_off(name):
    for axes in FIGURES[name]().axes[:2]:
        cells = axes.collections[0]
        corners = (cells.get_offsets()[:, None] + cells.get_paths()[0].vertices).reshape(-1, 2)
        (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
        assert len(corners)
        assert (corners > np.array((west, south)) - ROUNDING).all()
        assert (corners < np.array((east, north)) + ROUNDING).all()


def test_the_waterfall_leads_from_base_value_to_raw_score():
    prediction = one_prediction()
    axes = explanation.waterfall(prediction, 3, NOTE).axes[0]
    (ends,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert list(ends.get_xdata()) == pytest.approx([prediction.base_value, prediction.raw_score])
    assert prediction.base_value + sum(reason.contribution for reason in prediction.reasons) == pytest.approx(
        prediction.raw_score
    )
    assert axes.get_yticklabels()[1].get_text() == f"{len(prediction.reasons) - 3} other reasons"


def test_rows_of_axes_share_a_figure():
    _, axes = subplots("title", NOTE, columns=2, heights=(2, 1))
    assert len(axes) == 4
