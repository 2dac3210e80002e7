"""The files of a source with their fingerprint, and the manifest beside them."""

import json
from collections.abc import Sequence
from pathlib import Path

from accidents.atomic_write import write_text
from accidents.columns import ATTRIBUTION
from accidents.configuration.source import SourceSettings
from accidents.sources.edition import Edition, fingerprint
from accidents.sources.resolve import resolve_editions


def fetch_editions(source: SourceSettings) -> tuple[list[Edition], str]:
    """The editions of a source, generated or downloaded first if necessary; `manifest.json` beside them lists them.

    Returns:
        The editions and the SHA-256 of their files.
    """
    editions = resolve_editions(source, progress=True)
    digest = fingerprint(editions)
    _write_manifest(source.data_folder / "manifest.json", source.location, digest, editions)
    return editions, digest


def _write_manifest(path: Path, location: str, digest: str, editions: Sequence[Edition]) -> None:
    files = [
        {"year": edition.year, "table": str(table), "file": file}
        for edition in editions
        for table, file in edition.files.items()
    ]
    content = {"source": location, "attribution": ATTRIBUTION, "fingerprint": digest, "files": files}
    write_text(path, json.dumps(content, indent=2) + "\n")
