"""Publication of a model in a folder or bucket, for services that have no registry.

`production.json` names the published model and the SHA-256 of its files below `models/`. The files are written first
and never changed, the pointer last and in one step: a reader sees the old model or the new one.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from accidents.atomic_write import write_bytes
from accidents.errors import ModelError

POINTER_FILE = "production.json"
LOCATION_ENV = "PUBLISHED_MODELS"
"""Environment variable with the location: where promotion publishes, and from where a service loads its model."""

_FOLDER = "models"
_MAX_POINTER_BYTES = 100_000
_MAX_FILE_BYTES = 1_000_000_000
_KEPT_FILES = 6
"""Files that stay in a cache; a server may still be about to load the model before the newest one."""


class PublishedFile(BaseModel):
    """A file below `models/`; nothing but a plain name is accepted, so that a pointer reaches no other folder."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class PublishedModel(BaseModel):
    """Content of the pointer: registered name and version, model file, accidents with expected probabilities."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,150}$")
    version: str = Field(pattern=r"^[0-9]{1,9}$")
    model: PublishedFile
    expected_predictions: PublishedFile | None = None
    published_at: datetime


@dataclass(frozen=True)
class FetchedModel:
    """A published model on this machine.

    Attributes:
        published: content of the pointer.
        model_file: local copy of the model file.
        expected_predictions: local copy of the accidents with expected probabilities, if there are any.
        problem: why the location could not be read, where this is the model that was fetched last; else empty.
    """

    published: PublishedModel
    model_file: Path
    expected_predictions: Path | None
    problem: str = ""


def publish_model(
    location: str, name: str, version: str, model_file: Path, expected_predictions: Path | None
) -> PublishedModel:
    """Publish a model: its files, then the pointer.

    Args:
        location: folder, or URL of fsspec such as s3://bucket/folder.
        name: registered name.
        version: version in the registry.
        model_file: the bundle.
        expected_predictions: JSON file of accidents with the probabilities that the model must return; None for none.

    Raises:
        ModelError: the location cannot be written.
    """
    with _location_errors(location):
        published = PublishedModel(
            name=name,
            version=version,
            model=_upload(location, f"{name}-{version}", model_file, ".zip"),
            expected_predictions=expected_predictions
            and _upload(location, f"{name}-{version}", expected_predictions, ".accidents.json"),
            published_at=datetime.now(UTC),
        )
        _write(location, POINTER_FILE, published.model_dump_json(indent=1).encode())
    return published


def fetch_model(location: str, cache: Path) -> FetchedModel:
    """Copy the published model to this machine, unless it is there; where the location is away, the last one answers.

    Args:
        location: folder, or URL of fsspec.
        cache: folder for copies of the pointer and of the newest files.

    Raises:
        ModelError: the location cannot be read and nothing was fetched before, or a file is not the one that the
            pointer names.
    """
    copy = cache / POINTER_FILE
    try:
        with _location_errors(location):
            content = _read(location, POINTER_FILE, _MAX_POINTER_BYTES)
        published = _parse(content, location)
        files = [
            _fetch_file(location, file, cache) for file in (published.model, published.expected_predictions) if file
        ]
    except ModelError as error:
        if not copy.is_file():
            raise
        published = _parse(copy.read_bytes(), str(copy))
        files = [cache / file.name for file in (published.model, published.expected_predictions) if file]
        if not all(file.is_file() for file in files):
            raise
        return FetchedModel(published, files[0], files[1] if files[1:] else None, str(error))
    if not copy.is_file() or copy.read_bytes() != content:
        write_bytes(copy, content)
    _delete_old_files(cache, keep={file.name for file in files})
    return FetchedModel(published, files[0], files[1] if files[1:] else None)


def _upload(location: str, stem: str, file: Path, suffix: str) -> PublishedFile:
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    name = f"{stem}-{digest[:12]}{suffix}"
    _write(location, f"{_FOLDER}/{name}", content)
    return PublishedFile(name=name, sha256=digest)


def _fetch_file(location: str, file: PublishedFile, cache: Path) -> Path:
    target = cache / file.name
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == file.sha256:
        return target
    with _location_errors(location):
        content = _read(location, f"{_FOLDER}/{file.name}", _MAX_FILE_BYTES)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ModelError(f"{location}: {file.name} is not the file that was published, by SHA-256; publish it again")
    write_bytes(target, content)
    return target


def _parse(content: bytes, place: str) -> PublishedModel:
    try:
        return PublishedModel.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ModelError(f"{place}: {POINTER_FILE} does not name a model: {key or 'JSON'}: {first['msg']}") from None


def _write(location: str, name: str, content: bytes) -> None:
    """Write a file in one step: by renaming on a local disk, by one upload elsewhere."""
    if "://" not in location:
        write_bytes(Path(location) / name, content)
        return
    system, root = _file_system(location)
    system.pipe_file(f"{root}/{name}", content)


def _read(location: str, name: str, limit: int) -> bytes:
    if "://" not in location:
        path = Path(location) / name
        size, read = path.stat().st_size, path.read_bytes
    else:
        system, root = _file_system(location)
        size, read = _remote_size(system, f"{root}/{name}"), _reader(system, f"{root}/{name}")
    if size > limit:
        raise ModelError(f"{location}: {name} has {size:,} bytes, more than the {limit:,} that are read")
    return read()


def _reader(system: Any, path: str) -> Callable[[], bytes]:
    return lambda: bytes(system.cat_file(path))


def _remote_size(system: Any, path: str) -> int:
    system.invalidate_cache()  # listings of a directory are kept, and another process publishes
    return int(system.size(path))


def _file_system(location: str) -> tuple[Any, str]:
    import fsspec  # slow to import, and local folders do not need it

    system, root = fsspec.core.url_to_fs(location)
    return system, str(root).rstrip("/")


@contextmanager
def _location_errors(location: str) -> Iterator[None]:
    try:
        yield
    except ModelError:
        raise
    except FileNotFoundError:
        raise ModelError(
            f"{location}: nothing is published there; publish a model: python run.py registry publish"
        ) from None
    except Exception as error:  # libraries of file systems raise errors of their own
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ModelError(f"{location}: cannot be used: {reason}; check address and credentials") from None


def _delete_old_files(cache: Path, keep: set[str]) -> None:
    files = sorted(
        (path for path in cache.iterdir() if path.suffix in {".zip", ".json"} and path.name != POINTER_FILE),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in files[_KEPT_FILES:]:
        if path.name not in keep:
            path.unlink(missing_ok=True)
