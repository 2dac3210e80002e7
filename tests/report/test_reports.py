"""Pages about models: complete, self-contained, honest about synthetic data, of modest size."""

import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from accidents.columns import ATTRIBUTION
from accidents.configuration.evaluation import EvaluationSettings
from accidents.errors import DataError
from accidents.evaluation.evaluate import compare, evaluate
from accidents.explanation.importance import explain
from accidents.models import model_types
from accidents.report.card import model_card
from accidents.report.comparison import comparison_report, ranked_by_f1
from accidents.report.evaluation import evaluation_report
from accidents.report.subject import Subject, display_name
from tests.trained import small_models

pytestmark = pytest.mark.slow

SETTINGS = EvaluationSettings(resamples=20, group_resamples=10, explained_accidents=40, smallest_group=10)
COLUMNS = list(SETTINGS.group_columns)


class Page(HTMLParser):
    """Text of a page, and everything in it that would make a browser ask for something."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.asked, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "link", "img", "br", "hr"}:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "srcset", "action"} and not value.startswith(("#", "data:")):
                self.asked.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def measured(name):
    scored = small_models()[name]
    return evaluate(
        scored.test["label"].to_numpy(),
        scored.test["probability"].to_numpy(),
        scored.trained.bundle.threshold,
        groups=scored.places[COLUMNS],
        settings=SETTINGS,
    )


def subject(name, **changes):
    scored = small_models()[name]
    facts = Subject(
        metadata=scored.trained.bundle.metadata(),
        source="sample",
        accidents="test part",
        fingerprint="fedcba9876543210",
        synthetic=True,
    )
    return replace(facts, **changes)


def explained(name):
    scored = small_models()[name]
    return explain(scored.trained.bundle, scored.X, SETTINGS)


def assert_self_contained(html):
    page = Page(html)
    assert page.open == []
    assert page.asked == []
    assert not re.findall(r"url\((?!#|var)", html)
    assert "@import" not in html
    assert "<script" not in html


@pytest.mark.parametrize("name", model_types())
def test_the_report_of_every_model_type_says_all_of_it(name):
    evaluation = measured(name)
    html = evaluation_report(subject(name), evaluation, explained(name), SETTINGS)
    assert_self_contained(html)
    assert len(html) < 1_500_000
    page = Page(html)
    for metric in ("f1", "roc_auc", "pr_auc", "precision", "recall", "accuracy", "brier", "ece"):
        low, high = evaluation.intervals[metric]
        assert f"{getattr(evaluation, metric):.3f}" in page.text
        assert f"{low:.3f} to {high:.3f}" in page.text
    for words in ("Synthetic data", "fedcba9876543210", "0123456789abcdef", "best F1", "level call", "random"):
        assert words in page.text
    assert ATTRIBUTION.split(",")[0] in page.text
    for groups in evaluation.groups.values():
        for group in groups:
            assert group.words in page.text
    assert f"--models {name} --level call" in page.text
    assert html.count("<svg") == 11


def test_a_report_without_groups_and_explanation():
    evaluation = measured("lightgbm").model_copy(update={"groups": {}})
    html = evaluation_report(subject("lightgbm"), evaluation, None, SETTINGS)
    assert_self_contained(html)
    assert html.count("<svg") == 5
    assert "What moves" not in html
    assert "Departments" not in html


def test_real_accidents_are_not_called_synthetic():
    html = evaluation_report(subject("lightgbm", synthetic=False), measured("lightgbm"), None, SETTINGS)
    assert "ynthetic" not in html


def test_names_from_outside_are_shown_and_not_obeyed():
    evil = "<script>alert(1)</script>"
    about = subject("lightgbm", source=evil, accidents=evil)
    for html in (
        evaluation_report(about, measured("lightgbm"), None, SETTINGS),
        model_card(about, measured("lightgbm")).html,
    ):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_accidents_of_one_class_make_a_report_with_gaps():
    scored = small_models()["lightgbm"]
    chosen = scored.test["label"] == 0
    evaluation = evaluate(
        scored.test.loc[chosen, "label"].to_numpy(),
        scored.test.loc[chosen, "probability"].to_numpy(),
        0.4,
        groups=scored.places.loc[chosen, COLUMNS],
        settings=SETTINGS,
    )
    assert "not defined" in evaluation_report(subject("lightgbm"), evaluation, None, SETTINGS)
    assert "not defined" in model_card(subject("lightgbm"), evaluation).markdown


def test_the_comparison_ranks_by_f1_and_says_what_cannot_be_told_apart():
    evaluations = {name: measured(name) for name in model_types()}
    order = ranked_by_f1(evaluations)
    scores = {name: scored.test["probability"].to_numpy() for name, scored in small_models().items()}
    labels = small_models()[order[0]].test["label"].to_numpy()
    best = (scores[order[0]], evaluations[order[0]].threshold)
    differences = [
        compare(labels, (scores[name], evaluations[name].threshold), best, settings=SETTINGS)["f1"] for name in order
    ]
    html = comparison_report([subject(name) for name in order], [evaluations[name] for name in order], differences)
    assert_self_contained(html)
    text = Page(html).text
    assert f"{display_name(order[0])} has the best F1 of 4 models" in text
    rows = re.findall(r"<tr><td>([^<]+)</td>", html)
    assert rows == [display_name(name) for name in order]
    tied = [differences[k].interval[0] <= 0 <= differences[k].interval[1] for k in range(1, 4)]
    assert ("cannot be told from the best" in text) == any(tied)


def test_models_measured_on_other_accidents_are_not_compared():
    evaluation = measured("lightgbm")
    other = evaluation.model_copy(update={"n": 7})
    difference = compare_with_itself("lightgbm")
    with pytest.raises(DataError, match="same accidents"):
        comparison_report([subject("lightgbm")] * 2, [evaluation, other], [difference] * 2)


def compare_with_itself(name):
    scored = small_models()[name]
    model = (scored.test["probability"].to_numpy(), 0.4)
    return compare(scored.test["label"].to_numpy(), model, model, settings=SETTINGS)["f1"]


def test_a_model_without_f1_is_ranked_last():
    evaluation = measured("lightgbm")
    undefined = evaluation.model_copy(update={"f1": None})
    assert ranked_by_f1({"none": undefined, "some": evaluation}) == ["some", "none"]


def test_the_card_states_what_a_card_must():
    evaluation = measured("lightgbm")
    card = model_card(subject("lightgbm"), evaluation, explained("lightgbm"))
    assert_self_contained(card.html)
    for words in (
        "Meant for",
        "Not meant for",
        "Limits",
        "## By department",
        "records it",
        "synthetic",
        "python run.py",
    ):
        assert words in card.markdown
    assert f"{evaluation.f1:.3f}" in card.markdown
    departments = [group for group in evaluation.groups["dep"] if group.value != "others"]
    for group in departments:
        assert re.search(rf"^\| {group.words} \| {group.n:,} \|", card.markdown, re.MULTILINE)
    lowest = min(departments, key=lambda group: group.prevalence)
    assert f"{lowest.prevalence:.0%} are recorded as priority in department {lowest.words}" in card.markdown
    assert "With and without the place" not in card.markdown
    assert not re.search(r"\n{4,}", card.markdown)
    assert Page(card.html).text.count("Limits") == 1


def test_the_card_compares_with_a_model_that_does_not_know_the_place():
    evaluation = measured("lightgbm")
    blind = evaluation.summary() | {"f1": 0.123}
    card = model_card(subject("lightgbm"), evaluation, without_place=blind)
    assert "With and without the place" in card.markdown
    assert re.search(rf"^\| F1 \| {evaluation.f1:.3f} \(.*\) \| 0\.123 \(", card.markdown, re.MULTILINE)


def test_the_card_of_a_model_without_place_says_so():
    metadata = {**subject("lightgbm").metadata, "geography": False, "resampling": "smote"}
    about = subject("lightgbm", metadata=metadata)
    card = model_card(about, measured("lightgbm"))
    assert "does not know the place" in card.markdown
    assert about.command.endswith("--resampling smote --no-geography")


def test_the_same_evaluation_gives_the_same_pages():
    about, evaluation, explanation = subject("lightgbm"), measured("lightgbm"), explained("lightgbm")
    first, again = (evaluation_report(about, evaluation, explanation, SETTINGS) for _ in range(2))
    assert first == again


def test_evaluation_and_report_take_seconds():
    scored = small_models()["lightgbm"]
    many = pd.concat([scored.test] * 28, ignore_index=True).head(12_000)
    places = pd.concat([scored.places[COLUMNS]] * 28, ignore_index=True).head(12_000)
    labels, probabilities = many["label"].to_numpy(), many["probability"].to_numpy()
    evaluation_report(subject("lightgbm"), measured("lightgbm"), None, SETTINGS)
    started = time.process_time()
    evaluation = evaluate(labels, probabilities, 0.4, groups=places, settings=EvaluationSettings())
    explanation = explain(scored.trained.bundle, scored.X, EvaluationSettings())
    html = evaluation_report(subject("lightgbm"), evaluation, explanation, EvaluationSettings())
    assert time.process_time() - started < 6
    assert len(html) < 1_500_000
