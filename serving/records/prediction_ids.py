"""Ids of predictions: UUIDs of version 7, which begin with their time, so that a database appends them in order."""

import os
import re
import time

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = 0xFFF << 64
_RANDOM_B = (1 << 62) - 1
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_id() -> str:
    """A new id of 36 characters: milliseconds since 1970, then 74 random bits."""
    random = int.from_bytes(os.urandom(10), "big")
    number = time.time_ns() // 1_000_000 << 80 | _VERSION | (random & _RANDOM_A) | _VARIANT | (random & _RANDOM_B)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def moment(identifier: str) -> float | None:
    """When an id was made, in seconds since 1970; None where `new_id` makes no such text."""
    if _FORM.fullmatch(identifier) is None:
        return None
    return int(identifier[:13].replace("-", ""), 16) / 1000
