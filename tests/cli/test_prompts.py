"""Terminal prompts: every default is accepted, and a prompt is repeated after an invalid answer."""

from collections.abc import Callable
from datetime import datetime

import pytest

from accidents.errors import RequestError
from accidents.requests import parse_request
from cli.prompts import prompt_accident

NOW = datetime(2024, 6, 5, 8, 10)  # noqa: DTZ001 - accidents bear local dates


def answers(**by_word: str | list[str]) -> Callable[[str], str]:
    """A line reader with an answer, or several in turn, by a word of the prompt; Enter for all others."""
    waiting = {word: [given] if isinstance(given, str) else list(given) for word, given in by_word.items()}

    def read(question: str) -> str:
        for word, given in waiting.items():
            if word in question and given:
                return given.pop(0)
        return ""

    return read


def test_the_defaults_give_a_valid_accident() -> None:
    content = prompt_accident(answers(), NOW)
    assert content["accident"] | {"jour": 5, "mois": 6, "an": 2024, "hrmn": "08:10", "lum": 1} == content["accident"]
    assert [vehicle["catv"] for vehicle in content["vehicles"]] == [7, 7]
    assert [person["catu"] for person in content["people"]] == [1, 1]
    assert parse_request(content).warnings == ()


def test_answers_become_fields() -> None:
    content = prompt_accident(
        answers(date="24/12/2023", time="23:30", catv="33", drivers="22", pedestrians="70, 8", dep="2A", vma="80"),
        NOW,
    )
    accident = content["accident"]
    assert (accident["jour"], accident["mois"], accident["an"], accident["hrmn"]) == (24, 12, 2023, "23:30")
    assert accident["lum"] == 5
    assert accident["dep"] == "2A"
    assert content["road"]["vma"] == 80
    assert content["vehicles"] == [{"num_veh": "A01", "catv": 33}]
    people = [(person["catu"], person["num_veh"], person["an_nais"]) for person in content["people"]]
    assert people == [(1, "A01", 2001), (3, "A01", 1953), (3, "A01", 2015)]
    assert len(parse_request(content).arrays.people) == 3


def test_an_unknown_age_is_left_out() -> None:
    content = prompt_accident(answers(catv="7, 1, 10", drivers="40"), NOW)
    assert [person.get("an_nais") for person in content["people"]] == [1984, None, None]
    assert content["accident"]["col"] == 4


@pytest.mark.parametrize(
    ("question", "wrong", "message"),
    [
        ("date", "31/02/2024", "31/02/2024: is no date"),
        ("date", "01/01/1960", "2005"),
        ("time", "25:99", "a time of day such as 17:15"),
        ("catv", "7, x", "7 car"),
        ("drivers", "old", "years up to 110"),
        ("drivers", "200", "years up to 110"),
        ("dep", "999", "department"),
        ("lum", "?", "1 daylight"),
        ("vma", "-30", "km/h"),
    ],
)
def test_a_prompt_is_repeated_after_an_invalid_answer(
    question: str, wrong: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = prompt_accident(answers(**{question: [wrong]}), NOW)
    assert message in capsys.readouterr().out
    assert content == prompt_accident(answers(), NOW)


def test_the_end_of_the_input_is_reported() -> None:
    def end(question: str) -> str:
        raise EOFError

    with pytest.raises(RequestError, match="ended before all questions"):
        prompt_accident(end, NOW)
