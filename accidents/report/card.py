"""The model card: what a model is for, what it was made of, how good it is and what it must not be used for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from accidents.evaluation.results import Evaluation
from accidents.explanation.importance import Explanation
from accidents.report.evaluation import HEADLINES, departments_by_share, place_share
from accidents.report.rendering import render
from accidents.report.subject import Subject


@dataclass(frozen=True)
class Card:
    """A model card, as Markdown for repositories and as HTML for browsers; the content is the same."""

    markdown: str
    html: str


def model_card(
    subject: Subject,
    evaluation: Evaluation,
    explanation: Explanation | None = None,
    without_place: Mapping[str, Any] | None = None,
) -> Card:
    """Write the card of a model.

    Args:
        subject: the model and the accidents measured.
        evaluation: the measurement; its departments make a table of their own.
        explanation: what moves the model, from which the share of the place is told.
        without_place: `Evaluation.summary` of the same model trained without the place, on the same accidents.
    """
    markdown = render(
        "card.md.j2",
        subject=subject,
        evaluation=evaluation,
        headlines=HEADLINES,
        departments=departments_by_share(evaluation),
        place_share=place_share(explanation),
        without_place=without_place,
    )
    # Raw HTML in a value, such as the name of a folder, is shown and not obeyed.
    content = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    page = render("card.html.j2", subject=subject, credit=subject.credit, content=Markup(content))  # noqa: S704
    return Card(markdown, page)
