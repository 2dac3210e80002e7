"""Model card: intended use, training data, metrics and limits of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from accidents.evaluation.results import Evaluation
from accidents.explanation.importance import Explanation
from accidents.report.evaluated_model import EvaluatedModel
from accidents.report.evaluation_report import REPORTED_METRICS, departments_by_share, place_share
from accidents.report.rendering import render


@dataclass(frozen=True)
class ModelCard:
    """A model card as Markdown and as an HTML page with the same content."""

    markdown: str
    html: str


def model_card(
    model: EvaluatedModel,
    evaluation: Evaluation,
    explanation: Explanation | None = None,
    without_place: Mapping[str, Any] | None = None,
) -> ModelCard:
    """Write the card of a model.

    Args:
        model: the model and the accidents it was evaluated on.
        evaluation: its evaluation; the departments become a table of their own.
        explanation: SHAP values, for the share of the place; None leaves it out.
        without_place: `Evaluation.summary` of the same model trained without the place, on the same accidents.
    """
    markdown = render(
        "card.md.j2",
        model=model,
        evaluation=evaluation,
        metric_names=REPORTED_METRICS,
        departments=departments_by_share(evaluation),
        place_share=place_share(explanation),
        without_place=without_place,
    )
    # HTML in a value, such as the name of a folder, is escaped.
    content = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    page = render("card.html.j2", model=model, source_note=model.source_note, content=Markup(content))  # noqa: S704
    return ModelCard(markdown, page)
