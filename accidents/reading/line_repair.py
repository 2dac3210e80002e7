"""Repairs lines that other programs wrote: quotes inside fields that are not doubled, empty fields at the end."""

import csv
import re

from accidents.reading.layout import Header

LINE_END = re.compile(rb"\r\n|\n|\r")
"""Line ends of all systems."""


def has_lone_quotes(data: bytes, header: Header) -> bool:
    """Whether a quoted field holds a quote that is not doubled."""
    regular = 2 * len(header.columns)
    if not header.quoted or not data.count(b'"') % (regular * max(data.count(b"\n"), 1)):
        return False
    return any(line.count(b'"') != regular and _is_lone(line, header) for line in data.split(b"\n"))


def _is_lone(line: bytes, header: Header) -> bool:
    other = b'[^"\r\n' + re.escape(header.separator).encode() + b"]"
    return re.search(other + b'"' + other, line.replace(b'""', b"")) is not None


def repair_lines(data: bytes, header: Header) -> tuple[bytes, int, int]:
    """Escape quotes in the lines that have lone ones and the right number of separators, and resize other lines.

    Returns:
        The lines, the number of those whose quotes were escaped, and of those with more or fewer empty fields at their
        end than the header has.
    """
    separator = header.separator.encode()
    lines = LINE_END.split(data)
    literal = resized = 0
    last = max((index for index, line in enumerate(lines) if line.strip()), default=0)  # it may have been cut off
    for index, line in enumerate(lines):
        if line.count(separator) != len(header.columns) - 1:
            lines[index] = _resize(line, header, pad=index < last)
            resized += bool(line.strip()) and lines[index] != line
        elif line.count(b'"') % 2 or (header.quoted and _is_lone(line, header)):
            fields = [
                _without_quotes(field).replace(b'""', b'"').replace(b'"', b'""') for field in line.split(separator)
            ]
            lines[index] = separator.join(b'"' + field + b'"' for field in fields)
            literal += 1
    return b"\n".join(lines), literal, resized


def _resize(line: bytes, header: Header, *, pad: bool) -> bytes:
    """A line with as many fields as the header, where only empty ones at its end are too many or too few."""
    if not line.strip():
        return b""
    try:
        fields = next(csv.reader([line.decode(errors="replace")], delimiter=header.separator))
    except csv.Error:  # a field of megabytes
        return line
    extra = len(fields) - len(header.columns)
    if extra > 0 and not any(field.strip() for field in fields[-extra:]):
        empty = b"(?:" + re.escape(header.separator).encode() + b'[ "]*){%d}$' % extra
        return re.sub(empty, b"", line)
    if pad and extra < 0 and not any(header.columns[extra:]) and "".join(fields).strip():
        return line + header.separator.encode() * -extra
    return line


def _without_quotes(field: bytes) -> bytes:
    return field[1:-1] if len(field) > 1 and field.startswith(b'"') and field.endswith(b'"') else field
