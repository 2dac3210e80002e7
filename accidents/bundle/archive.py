"""The container of a model file: a ZIP archive of a JSON manifest and of sections of data.

The manifest names the format, describes the model and lists every section with its size and SHA-256. Reading checks
all of it and runs no code from the file. An optional section that the program does not know is not read, so that later
programs can add sections without a new format. The meaning of sections is defined in `model_bundle`.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accidents.errors import ModelError

FORMAT = "french-road-accidents model bundle"
FORMAT_VERSION = 4
"""Raised only where an older program would misread a file; formats 1 to 3 were pickles."""

SUFFIX = ".zip"
MANIFEST = "manifest.json"
PICKLE_FORMAT = b"french-road-accidents model bundle\n"
"""First bytes of a model file of format 3 or older."""

_OLD_SUFFIX = ".joblib"
_LARGEST_MANIFEST = 16_000_000
_LARGEST_SECTION = 500_000_000
_MOST_SECTIONS = 64
_COMPRESSION = 4  # a third of the time of zlib's own choice, 6, for 3 % more bytes
_TIME = (1980, 1, 1, 0, 0, 0)  # the same content gives the same file


@dataclass(frozen=True)
class Section:
    """Data of a model; a program that does not know an optional section may ignore it."""

    content: bytes
    optional: bool = False


def write_archive(manifest: Mapping[str, Any], sections: Mapping[str, Section]) -> bytes:
    """The content of a model file; the same arguments give the same bytes.

    Args:
        manifest: facts about the model, ready for JSON; format and list of sections are added.
        sections: by name, which is the name of the file in the archive.
    """
    listing = {}
    for name, section in sections.items():
        size, digest = len(section.content), hashlib.sha256(section.content).hexdigest()
        listing[name] = {"bytes": size, "sha256": digest, "optional": section.optional}
    text = json.dumps({"format": FORMAT, "format_version": FORMAT_VERSION, **manifest, "sections": listing}, indent=1)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as archive:
        for name, content in ((MANIFEST, text.encode()), *((name, one.content) for name, one in sections.items())):
            member = zipfile.ZipInfo(name, _TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            archive.writestr(member, content)
    return buffer.getvalue()


def read_archive(
    content: bytes, name: str, known: Callable[[str], bool] = lambda _: True
) -> tuple[dict[str, Any], dict[str, Section]]:
    """The manifest and the verified sections of a model file.

    Args:
        content: of the file.
        name: of the file, for messages.
        known: whether the caller can read a section of this name; optional ones are not read otherwise.

    Raises:
        ModelError: the content is cut off, damaged, not a model file, or of another format.
    """
    _refuse_pickle(content, name)
    with _opened(io.BytesIO(content), name) as archive:
        manifest = _manifest(archive, name)
        members = {entry.filename: entry for entry in archive.infolist()}
        if len(members) > _MOST_SECTIONS or sum(entry.file_size for entry in members.values()) > _LARGEST_SECTION:
            raise ModelError(f"{name}: damaged: more or larger sections than a model has; train it again")
        sections = {}
        for section, listed in manifest["sections"].items():
            if listed["optional"] and not known(section):
                continue
            data = _member(archive, section, _LARGEST_SECTION, name)
            if len(data) != listed["bytes"] or hashlib.sha256(data).hexdigest() != listed["sha256"]:
                raise ModelError(f"{name}: damaged: the checksum of {section} differs; copy or train it again")
            sections[section] = Section(data, listed["optional"])
        if unlisted := set(archive.namelist()) - {MANIFEST, *manifest["sections"]}:
            raise ModelError(f"{name}: damaged: {', '.join(sorted(unlisted))} not in its manifest; train it again")
        return manifest, sections


def read_manifest(path: Path | str) -> dict[str, Any]:
    """The manifest of a model file; no section is read.

    Raises:
        ModelError: the file is missing, not a model file, or of another format.
    """
    path = existing_path(path)
    try:
        with path.open("rb") as file:
            _refuse_pickle(file.read(len(PICKLE_FORMAT)), str(path))
            with _opened(file, str(path)) as archive:
                return _manifest(archive, str(path))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from None


def existing_path(path: Path | str) -> Path:
    """The path itself, or for a name with the ending of older model files the file that has replaced it."""
    path = Path(path)
    new = path.with_suffix(SUFFIX)
    return new if path.suffix == _OLD_SUFFIX and not path.exists() and new.exists() else path


def is_pickle(content: bytes) -> bool:
    """Whether this is the content, or its first bytes, of a model file of an older format."""
    return content.startswith(PICKLE_FORMAT)


def _refuse_pickle(content: bytes, name: str) -> None:
    if is_pickle(content):
        raise ModelError(
            f"{name}: is a model file of an older format, which could run code; convert it if it is your own: "
            f"python run.py convert {name}"
        )


def _opened(file: Any, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError):
        raise ModelError(
            f"{name}: cut off, or not a model file of this project; copy it again, or train a model with "
            "'python run.py --training'"
        ) from None


def _manifest(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    try:
        manifest = json.loads(_member(archive, MANIFEST, _LARGEST_MANIFEST, name))
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise ValueError(f"'format' is not '{FORMAT}'")
        if (version := manifest.get("format_version")) != FORMAT_VERSION:
            raise ModelError(
                f"{name}: has model format {version}, this program reads {FORMAT_VERSION}; update the program, or "
                "train the model again"
            )
        for listed in manifest["sections"].values():
            if tuple(type(listed[key]) for key in ("sha256", "bytes", "optional")) != (str, int, bool):
                raise ValueError("a section without checksum, size or whether it is optional")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{name}: its manifest cannot be used ({error}); copy or train it again") from None
    return manifest


def _member(archive: zipfile.ZipFile, member: str, largest: int, name: str) -> bytes:
    """The content of one file of the archive, never more than its directory entry says."""
    try:
        entries = [entry for entry in archive.infolist() if entry.filename == member]
        if len(entries) != 1:
            raise ValueError(f"{member} occurs {len(entries)} times in the archive")
        if entries[0].file_size > largest:
            raise ValueError(f"{member} has {entries[0].file_size:,} bytes, more than a model has")
        return archive.read(entries[0])
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{name}: damaged: {error}; copy or train it again") from None
