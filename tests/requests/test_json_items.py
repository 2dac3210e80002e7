"""Splitting of JSON into items: nothing is lost, added or reinterpreted, whatever the text is."""

import json
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from accidents.requests.json_items import split_lists

pytestmark = pytest.mark.slow

TEXTS = st.text(alphabet='ab"\\{}[],: \u00e9\U0001f697', max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=12)


def restore(outline: Any, items: list[Any]) -> Any:
    """The content that was split."""
    return {
        name: [items[one[0]] if isinstance(one, list) else one for one in value] if isinstance(value, list) else value
        for name, value in outline.items()
    }


@given(content=st.dictionaries(TEXTS, VALUES), ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_split_text_has_the_same_content(content: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(content, ensure_ascii=ascii_only, indent=indent).encode()
    outline, spans = split_lists(text, 1000)
    items = [orjson.loads(text[start:end]) for start, end in spans.tolist()]
    assert restore(orjson.loads(outline), items) == content


@given(text=st.text(alphabet='{}[]"\\,:a1 ', max_size=40).map(str.encode))
def test_any_text_is_put_together_again(text: bytes) -> None:
    outline, spans = split_lists(text, 1000)
    for number, (start, end) in reversed([*enumerate(spans.tolist())]):
        before, found, after = outline.rpartition(b"[%d]" % number)
        assert found
        outline = before + text[start:end] + after
    assert outline == text


@given(text=st.text(alphabet='{}[]"\\,:a1 ', max_size=40).map(lambda one: b'{"a":[' + one.encode()))
def test_invalid_text_remains_invalid(text: bytes) -> None:
    outline, spans = split_lists(text, 1000)
    parts = [outline, *(text[start:end] for start, end in spans.tolist())]

    def valid(part: bytes) -> bool:
        try:
            orjson.loads(part)
        except orjson.JSONDecodeError:
            return False
        return True

    assert valid(text) == all(map(valid, parts))


def test_number_of_items_is_limited() -> None:
    text = b'{"a":[{},[]],"b":[{}]}'
    assert len(split_lists(text, 3)[1]) == 3
    with pytest.raises(ValueError, match="more than 2 items"):
        split_lists(text, 2)
