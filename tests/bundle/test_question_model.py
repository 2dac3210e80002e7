"""The section of a model file that ranks questions: optional, and refused in a sentence where it is unsound."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accidents.bundle import Bundle
from accidents.bundle.archive import Section
from accidents.bundle.question_model import QuestionModel
from accidents.errors import ModelError
from tests.bundle.test_model_file import rewritten
from tests.trained import asking_model, small_models

SECTION = "questions.json"


def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    def rewrite(_: dict[str, Any], sections: dict[str, Section]) -> None:
        content = json.loads(sections[SECTION].content)
        change(content)
        sections[SECTION] = Section(json.dumps(content).encode(), optional=True)

    return rewritten(asking_model().to_bytes(), rewrite)


def test_the_section_survives_the_file() -> None:
    bundle = asking_model()
    again = Bundle.from_bytes(bundle.to_bytes())
    assert bundle.questions
    assert again.questions
    assert again.questions.to_bytes() == bundle.questions.to_bytes()
    assert again.to_bytes() == bundle.to_bytes()


def test_a_model_without_the_section_is_read() -> None:
    assert Bundle.from_bytes(small_models()["lightgbm"].trained.bundle.to_bytes()).questions is None


HOSTILE: dict[str, Callable[[dict[str, Any]], None]] = {
    "a field that there is not": lambda content: content["fields"][0].update(name="grav"),
    "another entity": lambda content: content["fields"][0].update(entity="people"),
    "a column that there is not": lambda content: content["fields"][0]["columns"].__setitem__(0, "row.grav"),
    "a column that the model lacks": lambda content: content["fields"][0]["columns"].__setitem__(0, "belted"),
    "a split on a column beyond": lambda content: content["fields"][0]["feature"].__setitem__(0, 200),
    "a walk in circles": lambda content: content["fields"][0]["left"].__setitem__(0, 0),
    "a child beyond the end": lambda content: content["fields"][0]["right"].__setitem__(0, 255),
    "a list too short": lambda content: content["fields"][0]["threshold"].pop(),
    "shares above 1": lambda content: content["fields"][0]["shares"].__setitem__(0, [1.0] * 20),
    "a share that is none": lambda content: content["fields"][0]["shares"][0].__setitem__(0, float("nan")),
    "a threshold that is none": lambda content: content["fields"][0]["threshold"].__setitem__(0, float("inf")),
    "a value beyond int16": lambda content: content["fields"][0]["values"].__setitem__(0, 2**20),
    "a gain below 0": lambda content: content["fields"][0].update(gain=-1),
    "a weight without bounds": lambda content: content["fields"][0].update(weight=1e300),
    "two distributions of one field": lambda content: content["fields"].append(content["fields"][0]),
    "a place that is none": lambda content: content["places"].update(voie=0.1),
    "something else": lambda content: content.update(code="import os"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_unsound_content_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="sections cannot be used"):
        Bundle.from_bytes(changed(HOSTILE[name]))


def test_anything_but_json_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        QuestionModel.from_bytes(b"\x80\x04")
