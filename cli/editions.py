"""`python run.py editions`: what data.gouv.fr publishes, compared with what registered models were trained on.

Imports nothing heavy: `--help` must answer at once.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.exit_codes import DONE
from cli.options import config_option, debug_enabled, debug_option, json_option
from cli.output import print_result

if TYPE_CHECKING:
    from accidents.sources.publication import EditionStatus
    from tracking.registry import Registry

_CATALOGUE = "ingestion.source.datagouv.catalogue"
_MEANING = {
    "trained": "the files of models are those that are published",
    "changed": "published anew since models were trained on it",
    "new": "no model was trained on it",
    "unknown": "published without SHA-1, so that files cannot be compared",
}


@click.command()
@click.option("--catalogue", metavar="URL", help="address of the API, in place of source.datagouv.catalogue")
@click.option("--stack", metavar="NAME", help="ZenML stack for this command alone")
@json_option
@config_option
@debug_option
def editions(*, catalogue: str | None, stack: str | None, as_json: bool, config: tuple[str, ...]) -> int:
    """Compare the editions on data.gouv.fr with those that registered models were trained on.

    Models are those in Production or Staging, and the latest version of each type. Nothing is downloaded but the
    description of the data set.
    """
    from accidents.configuration.environment import load_environment

    load_environment()
    from accidents.configuration.loading import load_configuration
    from accidents.sources.publication import compare_editions, read_publication
    from cli.zenml_session import prepare_zenml

    configuration = load_configuration(map(Path, config), {_CATALOGUE: catalogue}, {_CATALOGUE: "--catalogue"})
    published = read_publication(configuration.ingestion.source.datagouv)
    prepare_zenml(stack, debug=debug_enabled())
    from tracking.connection import connect
    from tracking.registry import Registry

    with connect(configuration.tracking) as connection:
        trained = _trained_editions(Registry(connection))
    statuses = compare_editions(published, trained)
    lines = [f"{one.year}  {one.modified:10}  {_describe(one)}" for one in statuses]
    text = "\n".join(lines) or "no edition with all four files is published"
    print_result([asdict(one) for one in statuses], text, as_json=as_json)
    return DONE


def _describe(edition: "EditionStatus") -> str:
    models = [f"{name}{'' if same else ' (other files)'}" for name, same in edition.models.items()]
    return f"{edition.status:8} {_MEANING[edition.status]}{': ' * bool(models)}{', '.join(models)}"


def _trained_editions(registry: "Registry") -> dict[str, dict[str, str]]:
    """Digests of the editions by year, by title of the version; of versions that record them."""
    from accidents.configuration.stages import EXCLUSIVE_STAGES

    versions = [
        version
        for name in registry.models()
        for index, version in enumerate(registry.versions(name))
        if index == 0 or version.stage in EXCLUSIVE_STAGES
    ]
    return {one.title: json.loads(one.tags["editions"]) for one in versions if one.tags.get("editions")}
