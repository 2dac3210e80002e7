"""Splits a JSON object with long lists into the texts of their items, so that they can be parsed one by one.

The parsed form of hostile JSON takes up to 36 times the memory of its text.
"""

import numpy as np
import numpy.typing as npt

from accidents.features.jit import compiled

_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = map(ord, "[]{}")


def split_lists(text: bytes, max_items: int) -> tuple[bytes, npt.NDArray[np.int64]]:
    """Replace the objects and lists that are items of lists of an object.

    Args:
        text: JSON, which may be invalid: what is invalid in it remains invalid, in the text or in an item.
        max_items: number of items that are allowed.

    Returns:
        The text with the i-th such item replaced by `[i]`, and start and end of each item in `text`, int64 (n, 2).

    Raises:
        ValueError: there are more items.

    Example:
        >>> split_lists(b'{"accidents": [{"lum": [5]}, 7, []], "a": {}}', 2)
        (b'{"accidents": [[0], 7, [1]], "a": {}}', array([[15, 27],
               [32, 34]]))
    """
    spans = np.empty((min(len(text) // 2, max_items) + 1, 2), np.int64)
    count = find_items(np.frombuffer(text, np.uint8), spans)
    if count > max_items:
        raise ValueError(f"has more than {max_items:,} items")
    spans = spans[:count]
    pieces, last = list[bytes](), 0
    for number, (start, end) in enumerate(spans.tolist()):
        pieces += (text[last:start], b"[%d]" % number)
        last = end
    return b"".join((*pieces, text[last:])), spans


@compiled("Array(uint8, 1, 'C', True)", "int64[:, ::1]", returns="int64")
def find_items(text, spans):  # type: ignore[no-untyped-def]  # noqa: C901  # a function call a byte takes longer
    """Fill in start and end of each item; returns their number, len(spans) where they do not fit."""
    position = depth = count = 0
    quoted = in_list = in_object = False
    while position < len(text):
        character = text[position]
        if quoted:
            if character == _BACKSLASH:
                position += 1
            quoted = character != _QUOTE
        elif character == _QUOTE:
            quoted = True
        elif character in (_OPEN_LIST, _OPEN_OBJECT):
            if depth == 0:
                in_object = character == _OPEN_OBJECT
            elif depth == 1:
                in_list = character == _OPEN_LIST and in_object
            elif depth == 2 and in_list:
                if count == len(spans):
                    return count
                spans[count, 0] = position
            depth += 1
        elif character in (_CLOSE_LIST, _CLOSE_OBJECT):
            depth -= 1
            if depth == 2 and in_list:
                spans[count, 1] = position + 1
                count += 1
        position += 1
    return count
