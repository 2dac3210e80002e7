"""Reads the bytes of a CSV or Parquet file from a path or URL, checks its format and decodes its characters."""

import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from accidents.errors import DataError
from accidents.reading.issues import MAX_EXAMPLES, Action, DataIssue, unreadable_file
from accidents.reading.parquet_text import MAGIC, write_as_csv

_CONTINUATION = bytes(range(0x80, 0xC0)).decode("cp1252", errors="ignore") + "\u0080-\u009f"
MOJIBAKE = f"Ã[{_CONTINUATION}]|Â[\u0080-\u00bf]|â€|\ufffd"
"""Regular expression of UTF-8 letters decoded as Latin-1 or Windows-1252 ("Ã©" for "é"), and of the replacement
character."""

UNKNOWN_ENCODING = "text in an unknown encoding"

SEPARATOR_LINE = re.compile(rb'\s*"?sep=.?"?[;,\t|]*(?:\r\n|\n|\r)', re.IGNORECASE)
"""A first line that tells spreadsheets the separator."""

_BOM = b"\xef\xbb\xbf"
_END_OF_FILE = b"\x1a"  # of DOS
_OTHER_FORMATS = {
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"%PDF": "a PDF document",
}
_LETTERS = "àâäáãåçéèêëíîïìñóôöòõùûüúÿæœ"
_SIGNS = "°²³«»…€ºª§µ·¨`\u00a0\u00b4\u2018\u2019\u201c\u201d\u2013\u2014"
_EXPECTED_LETTERS = set(_LETTERS + _LETTERS.upper() + _SIGNS)
_ENCODINGS = ("utf-8", "cp1252", "cp850")  # in the order in which they are tried
_UNKNOWN = "unknown"
_DOWNLOAD_AGAIN = "Download the file again from data.gouv.fr"


@dataclass(frozen=True)
class DecodedFile:
    """A decoded file.

    Attributes:
        file: its name.
        data: its text as UTF-8 bytes, without a byte order mark.
        latin1: number of rows in Latin-1 or Windows-1252.
        issues: what was corrected, and rows in an unknown encoding.
    """

    file: str
    data: bytes
    latin1: int
    issues: tuple[DataIssue, ...]


def read_text(path: str) -> DecodedFile:
    """Read a local path or an fsspec URL, and decode it.

    A file with the byte order mark of UTF-16 is UTF-16. A row of another file that is valid UTF-8 is UTF-8; else it is
    Windows-1252, which includes Latin-1, or code page 850, whichever makes its letters those of French. The encoding of
    a row does not depend on other rows, so that a part of a file is decoded like the whole.

    Raises:
        UnreadableFileError: the file is absent, empty, HTML or an archive.
    """
    file = path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    data = _read_bytes(path, file)
    issues = []
    if data.startswith(MAGIC):
        data = _from_parquet(data, file)
    if is_utf16(data):
        data = _from_utf16(data, file)
        issues.append(DataIssue(file, "", "text in UTF-16", 1, 0.0, Action.CORRECTED))
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
        issues.append(DataIssue(file, "", "byte order mark before the header", 1, 0.0, Action.CORRECTED))
    _check_format(data, file)
    inside = data.count(b"\n" + _BOM)
    if inside:
        data = data.replace(b"\n" + _BOM, b"\n")
        issues.append(DataIssue(file, "", "byte order mark at the beginning of a row", inside, 0.0, Action.CORRECTED))
    data = data.lstrip(b"\r\n").rstrip(_END_OF_FILE)
    if separator_line := SEPARATOR_LINE.match(data):
        data = data[separator_line.end() :]
        issues.append(DataIssue(file, "", "line that names the separator to spreadsheets", 1, 0.0, Action.CORRECTED))
    latin1 = 0
    if not _is_utf8(data):
        data, rows = _decode_rows(data)
        latin1 = len(rows["cp1252"])
        issues += _encoding_issues(file, rows, data.count(b"\n") or data.count(b"\r"))
    return DecodedFile(file, data, latin1, tuple(issues))


def is_utf16(start: bytes) -> bool:
    """Whether a file begins with a byte order mark of UTF-16, in which spreadsheets save "Unicode text"."""
    return start.startswith((b"\xff\xfe", b"\xfe\xff")) and not start.startswith(b"\xff\xfe\x00\x00")


def _from_parquet(data: bytes, file: str) -> bytes:
    text = io.BytesIO()
    try:
        write_as_csv(io.BytesIO(data), text)
    except DataError as error:
        raise unreadable_file(file, str(error), "Write the file again") from None
    return text.getvalue()


def _from_utf16(data: bytes, file: str) -> bytes:
    try:
        return data.decode("utf-16").encode()
    except UnicodeError as error:
        raise unreadable_file(file, f"the UTF-16 text is damaged: {error}", _DOWNLOAD_AGAIN) from None


def _read_bytes(path: str, file: str) -> bytes:
    try:
        if "://" not in path:
            return Path(path).read_bytes()
        import fsspec  # slow to import, and local files do not need it

        with fsspec.open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise unreadable_file(file, f"cannot be opened: {error}", "Check the path and the permissions") from error


def _check_format(data: bytes, file: str) -> None:
    if data[:1000].isspace() or not data:
        raise unreadable_file(file, "the file is empty", _DOWNLOAD_AGAIN)
    for start, what in _OTHER_FORMATS.items():
        if data.startswith(start):
            raise unreadable_file(file, f"this is {what}, not a CSV file", "Unpack it, or save it as CSV in UTF-8")
    if data[:1000].lstrip().startswith(b"<") or b"<html" in data[:1000].lower():
        raise unreadable_file(
            file, "this is an HTML page, not a CSV file", f"{_DOWNLOAD_AGAIN}: a server sent an error page"
        )
    if data[:200].count(b"\x00") > len(data[:200]) // 3:
        raise unreadable_file(file, "this is UTF-16 text or no text at all, not a CSV file", "Save it as CSV in UTF-8")
    if b"\x00" in data:
        row = data.count(b"\n", 0, data.index(b"\x00")) + 1
        raise unreadable_file(
            file, "holds a zero byte, which no text does: the file is damaged", _DOWNLOAD_AGAIN, rows=[row]
        )


def _is_utf8(data: bytes) -> bool:
    """Whether the bytes are valid UTF-8; several times faster than decoding."""
    try:
        pa.array([data], pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _decode_rows(data: bytes) -> tuple[bytes, Mapping[str, Sequence[int]]]:
    """The data in UTF-8, and the row numbers of the rows that are not ASCII, by encoding."""
    lines = data.splitlines(keepends=True)
    rows: dict[str, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        if not line.isascii():
            encoding, text = decode_row(line)
            lines[index] = text.encode()
            rows[encoding].append(index + 1)
    return b"".join(lines), rows


def decode_row(line: bytes) -> tuple[str, str]:
    """Encoding and text of a row; a row in an unknown encoding has one character a byte."""
    for encoding in _ENCODINGS:
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or all(character.isascii() or character in _EXPECTED_LETTERS for character in text):
            return encoding, text
    return _UNKNOWN, line.decode("latin-1")


def _encoding_issues(file: str, rows: Mapping[str, Sequence[int]], total: int) -> list[DataIssue]:
    """Issues of the rows in an encoding that published files do not use, or that most other rows do not have."""
    checks = {"cp850": ("text in code page 850", Action.CORRECTED), _UNKNOWN: (UNKNOWN_ENCODING, Action.IGNORED)}
    if len(rows["utf-8"]) < len(rows["cp1252"]):
        checks["utf-8"] = ("text in UTF-8 in a file of another encoding", Action.CORRECTED)
    issues = []
    for encoding, (check, action) in checks.items():
        if found := rows.get(encoding):
            first = tuple(found[:MAX_EXAMPLES])
            issues.append(DataIssue(file, "", check, len(found), len(found) / max(total, 1), action, first_rows=first))
    return issues
