"""The questions of `questions` as callers see them: the path of the field in the request, and words."""

from dataclasses import dataclass

from accidents.bundle import Bundle
from accidents.features.array_columns import ARRAY_COLUMNS, COLUMN_POSITIONS, Entity
from accidents.features.arrays import Arrays
from accidents.knowledge.masks import COORDINATES
from accidents.knowledge.questions import Question, rank_questions
from accidents.requests import ParsedRequest
from accidents.requests.flat import FLAT_FIELDS
from accidents.requests.rows import COLUMNS, OVER, RequestPart

NO_RANKING = "this model cannot rank questions: train it again with this program"

_WHO = {Entity.VEHICLES: ("Vehicle", "kind"), Entity.PEOPLE: ("Person", "catu")}


@dataclass(frozen=True)
class NextQuestion:
    """An unknown fact that is worth asking for.

    Attributes:
        field: its path in the request, such as `vehicles[0].manv`, or its name in the flat form.
        text: in words, such as `Vehicle 1 (car): main manoeuvre before the accident`.
        gain: expected fall of the Brier score once the answer is known.
    """

    field: str
    text: str
    gain: float

    def __str__(self) -> str:
        """Format as `Speed limit, road.vma (0.0018)`."""
        return f"{self.text}, {self.field} ({self.gain:.4f})"


def next_questions(bundle: Bundle, request: ParsedRequest, count: int) -> list[NextQuestion] | None:
    """Name the unknown facts most worth asking for, the best first.

    Args:
        bundle: the model.
        request: the accident; of the flat form only its own fields are asked for.
        count: greatest number of questions.

    Returns:
        At most `count` questions with a gain; None if the model cannot rank them.
    """
    if bundle.questions is None:
        return None

    def can_ask(entity: Entity, index: int, name: str) -> bool:
        return not request.is_flat or (index == 0 and _flat_name(entity, name) in FLAT_FIELDS)

    ranked = rank_questions(bundle, request.arrays, count, can_ask=can_ask)
    return [NextQuestion(_field(one, request), _words(one, request.arrays), one.gain) for one in ranked]


def _part_and_name(entity: Entity, name: str) -> tuple[RequestPart, str]:
    """Part of the nested form with a field, and its name there; latitude stands for both coordinates."""
    name = "lat" if name == COORDINATES else name
    return next((part, name) for part in RequestPart if OVER[part] is entity and name in COLUMNS[part])


def _flat_name(entity: Entity, name: str) -> str:
    part, name = _part_and_name(entity, name)
    names = (name, *COLUMNS[part][name].aliases)
    return next((one for one in names if one in FLAT_FIELDS), name)


def _field(question: Question, request: ParsedRequest) -> str:
    if request.is_flat:
        return _flat_name(question.entity, question.name)
    part, name = _part_and_name(question.entity, question.name)
    return f"{part}.{name}" if question.entity is Entity.ACCIDENT else f"{part}[{question.index}].{name}"


def _words(question: Question, arrays: Arrays) -> str:
    part, name = _part_and_name(question.entity, question.name)
    meaning = "latitude and longitude (WGS84)" if question.name == COORDINATES else COLUMNS[part][name].meaning
    if question.entity is Entity.ACCIDENT:
        return meaning[:1].upper() + meaning[1:]
    noun, column = _WHO[question.entity]
    rows = arrays.vehicles if question.entity is Entity.VEHICLES else arrays.people
    code = int(rows[question.index, COLUMN_POSITIONS[question.entity][column]])
    kind = ARRAY_COLUMNS[question.entity][column].categories.get(code)
    return f"{noun} {question.index + 1}{f' ({kind})' if kind else ''}: {meaning}"
