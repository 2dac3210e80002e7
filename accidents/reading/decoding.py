"""Reads the bytes of a CSV file from a path or URL, checks its format and decodes its characters."""

import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from accidents.reading.issues import Action, DataIssue, UnreadableFileError, unreadable_file

_CONTINUATION = bytes(range(0x80, 0xC0)).decode("cp1252", errors="ignore") + "\u0080-\u009f"
MOJIBAKE = f"Ã[{_CONTINUATION}]|Â[\u0080-\u00bf]|â€|\ufffd"
"""Regular expression of UTF-8 letters decoded as Latin-1 or Windows-1252 ("Ã©" for "é"), and of the replacement
character."""

_BOM = b"\xef\xbb\xbf"
_OTHER_FORMATS = {
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
}
_LETTERS = "àâäáãåçéèêëíîïìñóôöòõùûüúÿæœ"
_SIGNS = "°²³«»…€ºª§µ·¨`\u00a0\u00b4\u2018\u2019\u201c\u201d\u2013\u2014"
_EXPECTED_LETTERS = set(_LETTERS + _LETTERS.upper() + _SIGNS)
_EXPECTED_SHARE = 0.95
_DOWNLOAD_AGAIN = "Download the file again from data.gouv.fr"


@dataclass(frozen=True)
class DecodedFile:
    """A decoded file.

    Attributes:
        file: its name.
        data: its text as UTF-8 bytes, without a byte order mark.
        latin1: whether the file is in Latin-1 or Windows-1252.
        issues: what was corrected.
    """

    file: str
    data: bytes
    latin1: bool
    issues: tuple[DataIssue, ...]


def read_text(path: str) -> DecodedFile:
    """Read a local path or an fsspec URL, and decode it.

    Bytes that are valid UTF-8 are UTF-8. Others are Latin-1, or Windows-1252 where they use its extra characters,
    provided that the letters are those of French and the file does not mix both encodings.

    Raises:
        UnreadableFileError: the file is absent, empty, HTML, an archive, UTF-16, or in an unknown encoding.
    """
    file = path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    data = _read_bytes(path, file)
    issues = []
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
        issues.append(DataIssue(file, "", "byte order mark before the header", 1, 0.0, Action.CORRECTED))
    _check_format(data, file)
    inside = data.count(b"\n" + _BOM)
    if inside:
        data = data.replace(b"\n" + _BOM, b"\n")
        issues.append(DataIssue(file, "", "byte order mark at the beginning of a row", inside, 0.0, Action.CORRECTED))
    data = data.lstrip(b"\r\n")
    latin1 = not _is_utf8(data)
    if latin1:
        data = _decode_latin1(data, file)
    return DecodedFile(file, data, latin1, tuple(issues))


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


def _decode_latin1(data: bytes, file: str) -> bytes:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
    try:
        text = data.decode("cp1252" if re.search(rb"[\x80-\x9f]", data) else "latin-1")
    except UnicodeDecodeError:
        text = ""
    if re.search(MOJIBAKE, text):
        raise _unknown_encoding(file, row, "mixes UTF-8 and another encoding")
    foreign = re.findall("[^\x00-\x7f]", text)
    if not text or sum(letter in _EXPECTED_LETTERS for letter in foreign) < _EXPECTED_SHARE * len(foreign):
        raise _unknown_encoding(file, row, "is encoded neither in UTF-8 nor in Latin-1")
    return text.encode("utf-8")


def _unknown_encoding(file: str, row: int, check: str) -> UnreadableFileError:
    return unreadable_file(file, check, "Download the file again, or save it in UTF-8", rows=[row])
