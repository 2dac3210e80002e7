"""The files of a source with their fingerprint, and the manifest beside them."""

import json
from functools import cache
from pathlib import Path

from accidents.atomic_write import write_text
from accidents.columns import ATTRIBUTION
from accidents.configuration.source import SourceSettings
from accidents.sources.edition import Edition, fingerprint, read_checksums
from accidents.sources.publication import edition_digest
from accidents.sources.resolve import resolve_editions

_MANIFEST = "manifest.json"


def fetch_editions(source: SourceSettings) -> tuple[list[Edition], str]:
    """The editions of a source, generated or downloaded first if necessary; `manifest.json` beside them lists them.

    Returns:
        The editions and the SHA-256 of their files.
    """
    editions = resolve_editions(source, progress=True)
    checksums = cache(read_checksums)
    digests = {str(edition.year): edition_digest(edition, checksums) for edition in editions if edition.year}
    digest = fingerprint(editions, checksums)
    facts = {"source": source.location, "attribution": ATTRIBUTION, "fingerprint": digest, "editions": digests}
    files = [
        {"year": edition.year, "table": str(table), "file": file}
        for edition in editions
        for table, file in edition.files.items()
    ]
    write_text(source.data_folder / _MANIFEST, json.dumps({**facts, "files": files}, indent=2) + "\n")
    return editions, digest


def recorded_editions(data_folder: Path, fingerprint: str) -> dict[str, str]:
    """Digests of editions by year, from the manifest in a folder; empty where that has another fingerprint."""
    try:
        content = json.loads((data_folder / _MANIFEST).read_text(encoding="utf-8"))
        return dict(content["editions"]) if content["fingerprint"] == fingerprint else {}
    except (OSError, ValueError, KeyError):
        return {}
