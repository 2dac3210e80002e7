"""`python run.py fetch`: generate or download the files of a source, and list them.

Imports nothing heavy: `--help` must answer at once.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.exit_codes import DONE
from cli.options import Command, ListOption, config_option, debug_option, join_values
from cli.timing import phase

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration
    from accidents.sources.edition import Edition


@click.command(cls=Command, short_help="generate or download the files of a source, and list them")
@click.option("--source", metavar="SOURCE", help="sample (default), datagouv, a folder, or a URL like s3://…")
@click.option("--years", cls=ListOption, callback=join_values, metavar="YEARS", help="2021, 2019-2024 or 2019,2021")
@config_option
@debug_option
def fetch(source: str | None, years: str | None, config: tuple[str, ...]) -> int:
    """Generate the synthetic year or download published files into data/raw, and list the files of the source.

    Every pipeline does this by itself first. Files that are there already and intact are not fetched again.
    """
    from accidents.configuration.loading import load_configuration

    overrides = {"ingestion.source.location": source, "ingestion.source.years": years}
    flags = {"ingestion.source.location": "--source", "ingestion.source.years": "--years"}
    configuration = load_configuration(map(Path, config), overrides, flags)
    editions, digest = fetch_editions(configuration)
    for edition in editions:
        for table, file in edition.files.items():
            click.echo(f"{edition.year} {table} {file}")
    click.echo(f"fingerprint {digest}")
    return DONE


def fetch_editions(configuration: "Configuration") -> "tuple[list[Edition], str]":
    """The editions of the source, generated or downloaded first if necessary; `data/raw/manifest.json` lists them.

    Returns:
        The editions and the SHA-256 of their files.

    Raises:
        ConfigurationError: a synthetic year is not over.
        SourceError: the message names the file or folder, the cause and the remedy.
    """
    from accidents.atomic_write import write_text
    from accidents.columns import ATTRIBUTION
    from accidents.sources.edition import fingerprint
    from accidents.sources.resolve import resolve_editions

    source = configuration.ingestion.source
    with phase("files of the source"):
        editions = resolve_editions(source, progress=True)
        digest = fingerprint(editions)
        files = [
            {"year": edition.year, "table": str(table), "file": file}
            for edition in editions
            for table, file in edition.files.items()
        ]
        manifest = {"source": source.location, "attribution": ATTRIBUTION, "fingerprint": digest, "files": files}
        write_text(source.data_folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    return editions, digest
