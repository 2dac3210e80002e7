"""Files of a registered version and their digests: SHA-256 of the model file, and of all files together.

The digests are tags of the version, in the database of MLflow. Whoever can write the artifact store, but not the
database, can neither replace the model file nor the code that MLflow runs when it loads the model.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tracking.errors import RegistryError

MODEL_FILE_SHA256 = "model_file_sha256"
"""Tag of a version: SHA-256 of its model file."""

FILES_SHA256 = "files_sha256"
"""Tag of a version: SHA-256 over names and SHA-256 of all its files, code included."""

TWIN_FILE = "evaluated_twin.zip"
"""Name of the file of the evaluated twin, beside the model file of a final model."""

_WRITTEN_BY_DOWNLOADS = "registered_model_meta"


def model_file(title: str, folder: Path) -> Path:
    """The model file in the downloaded folder of an MLflow model.

    Raises:
        RegistryError: there is none, or more than one.
    """
    files = list((folder / "artifacts").glob("*_model.*"))
    if len(files) != 1:
        raise RegistryError(f"{title}: has no model file; train it again")
    return files[0]


def digests(title: str, folder: Path) -> dict[str, str]:
    """`MODEL_FILE_SHA256` and `FILES_SHA256` of the folder of an MLflow model.

    Raises:
        RegistryError: it has no model file.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _WRITTEN_BY_DOWNLOADS)
    by_name = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    listing = "".join(f"{digest}  {name}\n" for name, digest in by_name.items())
    return {
        MODEL_FILE_SHA256: by_name[model_file(title, folder).relative_to(folder).as_posix()],
        FILES_SHA256: hashlib.sha256(listing.encode()).hexdigest(),
    }


def verify(title: str, folder: Path, tags: Mapping[str, str]) -> None:
    """Compare downloaded files with the digests in the tags of their version, before anything is read from them.

    Raises:
        RegistryError: a file was replaced, added or removed since the registration, or there are no digests.
    """
    if MODEL_FILE_SHA256 not in tags or FILES_SHA256 not in tags:
        raise RegistryError(
            f"{title}: the registry has no SHA-256 of its files; record it, if you trust the artifact store: "
            "python run.py registry check"
        )
    found = digests(title, folder)
    changed = [name for name in (MODEL_FILE_SHA256, FILES_SHA256) if found[name] != tags[name]]
    if changed:
        what = "its model file is not" if MODEL_FILE_SHA256 in changed else "its files are not all"
        raise RegistryError(
            f"{title}: {what} what was registered, by SHA-256; it was changed in the artifact store and is not used. "
            "Promote another version, or train again"
        )


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
