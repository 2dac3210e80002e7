"""Editions of synthetic accidents, generated once and cached."""

import hashlib
import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path

from accidents.sources.cache import lock_cache
from accidents.sources.edition import Edition
from accidents.sources.folder import folder_editions

logger = logging.getLogger(__name__)

_GENERATOR_PACKAGES = ("sample", "columns")


def synthetic_editions(years: Iterable[int], accidents: int, seed: int, folder: Path) -> list[Edition]:
    """One synthetic edition a year, cached in a folder named by year, size, seed and digest of the generator."""
    with lock_cache(folder):
        return [_edition(year, accidents, seed, folder) for year in sorted(set(years))]


def _edition(year: int, accidents: int, seed: int, folder: Path) -> Edition:
    target = folder / f"synthetic-{year}-{accidents}-seed{seed}-{_generator_digest()}"
    if not target.exists():
        from accidents.sample.writer import write_sample

        logger.info("Generating %s synthetic accidents of %s.", accidents, year)
        temporary = Path(tempfile.mkdtemp(prefix="tmp-", dir=folder))
        write_sample(temporary, accidents=accidents, year=year, seed=seed)
        temporary.rename(target)
    return folder_editions(str(target), [year])[0]


def _generator_digest() -> str:
    """Short digest of the code and the tables of the generator, which decide the contents of the files."""
    domain = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for package in _GENERATOR_PACKAGES for path in (domain / package).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(domain)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
