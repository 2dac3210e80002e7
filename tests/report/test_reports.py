"""HTML reports and model card: complete, self-contained, marked where data are synthetic, of modest size."""

import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from accidents.columns import ATTRIBUTION
from accidents.configuration.evaluation import EvaluationSettings
from accidents.errors import DataError
from accidents.evaluation.evaluate import evaluate, paired_differences
from accidents.models import display_name, model_types
from accidents.report.comparison_report import comparison_report, rank_by_f1
from accidents.report.evaluated_model import EvaluatedModel
from accidents.report.evaluation_report import evaluation_report
from accidents.report.model_card import model_card
from tests.trained import small_models

pytestmark = pytest.mark.slow

SETTINGS = EvaluationSettings(resamples=20, group_resamples=10, explained_accidents=40, smallest_group=10)
COLUMNS = list(SETTINGS.group_columns)


class Page(HTMLParser):
    """Text of a page, and every address that a browser would request."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.requests, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "link", "img", "br", "hr"}:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "srcset", "action"} and not value.startswith(("#", "data:")):
                self.requests.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def evaluated(name):
    scored = small_models()[name]
    return evaluate(
        scored.test["label"].to_numpy(),
        scored.test["probability"].to_numpy(),
        scored.trained.bundle.threshold,
        groups=scored.places[COLUMNS],
        settings=SETTINGS,
    )


def evaluated_model(name, **changes):
    scored = small_models()[name]
    model = EvaluatedModel(scored.trained.bundle.metadata(), "sample", "test set", "fedcba9876543210")
    return replace(model, **changes)


def explained(name):
    scored = small_models()[name]
    return scored.explain(SETTINGS)


def assert_self_contained(html):
    page = Page(html)
    assert page.open == []
    assert page.requests == []
    assert not re.findall(r"url\((?!#|var)", html)
    assert "@import" not in html
    assert "<script" not in html


@pytest.mark.parametrize("name", model_types())
def test_the_report_of_every_model_type_is_complete(name):
    evaluation = evaluated(name)
    html = evaluation_report(evaluated_model(name), evaluation, explained(name), SETTINGS)
    assert_self_contained(html)
    assert len(html) < 1_500_000
    page = Page(html)
    for metric in ("f1", "roc_auc", "pr_auc", "precision", "recall", "accuracy", "brier", "ece"):
        low, high = evaluation.intervals[metric]
        assert f"{getattr(evaluation, metric):.3f}" in page.text
        assert f"{low:.3f} to {high:.3f}" in page.text
    for text in ("Synthetic data", "fedcba9876543210", "0123456789abcdef", "best F1", "level call", "random"):
        assert text in page.text
    assert ATTRIBUTION.split(",")[0] in page.text
    for groups in evaluation.groups.values():
        for group in groups:
            assert group.name in page.text
    assert f"--models {name} --level call" in page.text
    assert html.count("<svg") == 11


def test_a_report_without_groups_and_explanation():
    evaluation = evaluated("lightgbm").model_copy(update={"groups": {}})
    html = evaluation_report(evaluated_model("lightgbm"), evaluation, None, SETTINGS)
    assert_self_contained(html)
    assert html.count("<svg") == 5
    assert "Explanation" not in html
    assert "Departments" not in html


def test_real_accidents_are_not_marked_synthetic():
    html = evaluation_report(evaluated_model("lightgbm", source="path/to/baac"), evaluated("lightgbm"), None, SETTINGS)
    assert "ynthetic" not in html


def test_html_in_names_is_escaped():
    evil = "<script>alert(1)</script>"
    about = evaluated_model("lightgbm", source=evil, dataset=evil)
    for html in (
        evaluation_report(about, evaluated("lightgbm"), None, SETTINGS),
        model_card(about, evaluated("lightgbm")).html,
    ):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_metrics_of_one_class_are_shown_as_not_defined():
    scored = small_models()["lightgbm"]
    chosen = scored.test["label"] == 0
    evaluation = evaluate(
        scored.test.loc[chosen, "label"].to_numpy(),
        scored.test.loc[chosen, "probability"].to_numpy(),
        0.4,
        groups=scored.places.loc[chosen, COLUMNS],
        settings=SETTINGS,
    )
    assert "not defined" in evaluation_report(evaluated_model("lightgbm"), evaluation, None, SETTINGS)
    assert "not defined" in model_card(evaluated_model("lightgbm"), evaluation).markdown


def test_the_comparison_ranks_by_f1_and_names_ties():
    evaluations = {name: evaluated(name) for name in model_types()}
    order = rank_by_f1(evaluations)
    scores = {name: scored.test["probability"].to_numpy() for name, scored in small_models().items()}
    labels = small_models()[order[0]].test["label"].to_numpy()
    best = (scores[order[0]], evaluations[order[0]].threshold)
    differences = [
        paired_differences(labels, (scores[name], evaluations[name].threshold), best, settings=SETTINGS)["f1"]
        for name in order
    ]
    html = comparison_report(
        [evaluated_model(name) for name in order], [evaluations[name] for name in order], differences
    )
    assert_self_contained(html)
    text = Page(html).text
    assert f"{display_name(order[0])} has the best F1 of {len(order)} models" in text
    rows = re.findall(r"<tr><td>([^<]+)</td>", html)
    assert rows == [display_name(name) for name in order]
    tied = [differences[k].interval[0] <= 0 <= differences[k].interval[1] for k in range(1, len(order))]
    assert ("does not differ significantly from the best" in text) == any(tied)


def test_models_evaluated_on_other_accidents_are_not_compared():
    evaluation = evaluated("lightgbm")
    other = evaluation.model_copy(update={"n": 7})
    difference = compare_with_itself("lightgbm")
    with pytest.raises(DataError, match="same accidents"):
        comparison_report([evaluated_model("lightgbm")] * 2, [evaluation, other], [difference] * 2)


def compare_with_itself(name):
    scored = small_models()[name]
    model = (scored.test["probability"].to_numpy(), 0.4)
    return paired_differences(scored.test["label"].to_numpy(), model, model, settings=SETTINGS)["f1"]


def test_a_model_without_f1_is_ranked_last():
    evaluation = evaluated("lightgbm")
    undefined = evaluation.model_copy(update={"f1": None})
    assert rank_by_f1({"none": undefined, "some": evaluation}) == ["some", "none"]


def test_the_card_has_all_sections():
    evaluation = evaluated("lightgbm")
    card = model_card(evaluated_model("lightgbm"), evaluation, explained("lightgbm"))
    assert_self_contained(card.html)
    for text in (
        "Intended use",
        "Out of scope",
        "Limits",
        "## By department",
        "records it",
        "synthetic",
        "python run.py",
    ):
        assert text in card.markdown
    assert f"{evaluation.f1:.3f}" in card.markdown
    departments = [group for group in evaluation.groups["dep"] if group.value != "others"]
    for group in departments:
        assert re.search(rf"^\| {group.name} \| {group.n:,} \|", card.markdown, re.MULTILINE)
    lowest = min(departments, key=lambda group: group.prevalence)
    assert f"{lowest.prevalence:.0%} are recorded as priority in department {lowest.name}" in card.markdown
    assert "With and without the place" not in card.markdown
    assert not re.search(r"\n{4,}", card.markdown)
    assert Page(card.html).text.count("Limits") == 1


def test_the_card_compares_with_a_model_without_the_place():
    evaluation = evaluated("lightgbm")
    blind = evaluation.summary() | {"f1": 0.123}
    card = model_card(evaluated_model("lightgbm"), evaluation, without_place=blind)
    assert "With and without the place" in card.markdown
    assert re.search(rf"^\| F1 \| {evaluation.f1:.3f} \(.*\) \| 0\.123 \(", card.markdown, re.MULTILINE)


def test_the_card_of_a_model_without_place_says_so():
    metadata = {**evaluated_model("lightgbm").metadata, "geography": False, "resampling": "smote"}
    about = evaluated_model("lightgbm", metadata=metadata)
    card = model_card(about, evaluated("lightgbm"))
    assert "place is not among the features" in card.markdown
    assert about.training_command.endswith("--resampling smote --no-geography")


def test_the_same_evaluation_gives_the_same_pages():
    about, evaluation, explanation = evaluated_model("lightgbm"), evaluated("lightgbm"), explained("lightgbm")
    first, again = (evaluation_report(about, evaluation, explanation, SETTINGS) for _ in range(2))
    assert first == again


def test_evaluation_and_report_take_seconds():
    scored = small_models()["lightgbm"]
    many = pd.concat([scored.test] * 28, ignore_index=True).head(12_000)
    places = pd.concat([scored.places[COLUMNS]] * 28, ignore_index=True).head(12_000)
    labels, probabilities = many["label"].to_numpy(), many["probability"].to_numpy()
    evaluation_report(evaluated_model("lightgbm"), evaluated("lightgbm"), None, SETTINGS)
    started = time.process_time()
    evaluation = evaluate(labels, probabilities, 0.4, groups=places, settings=EvaluationSettings())
    explanation = scored.explain(EvaluationSettings())
    html = evaluation_report(evaluated_model("lightgbm"), evaluation, explanation, EvaluationSettings())
    assert time.process_time() - started < 6
    assert len(html) < 1_500_000
