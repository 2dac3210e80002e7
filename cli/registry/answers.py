"""What each command of the registry does; connects first, and prints at the end."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from accidents.configuration.effective import Configuration, load
from cli.registry import changing, judging, reading
from cli.registry.desk import Desk
from cli.session import prepare
from tracking.connection import connected
from tracking.registry import Registry

_ANSWERS: Mapping[str, Callable[[Desk], int]] = {
    "list-models": reading.list_models,
    "list-versions": reading.list_versions,
    "get-model": reading.get_model,
    "history": reading.history,
    "transition": changing.give_stage,
    "promote": changing.promote,
    "archive": changing.archive,
    "rollback": changing.rollback,
    "delete-version": changing.delete_version,
    "delete-model": changing.delete_model,
    "prune": changing.prune,
    "check": changing.check,
    "compare": judging.compare,
    "evaluate-promotion": judging.evaluate_promotion,
    "auto-promote": judging.auto_promote,
}


def answer(given: argparse.Namespace) -> int:
    """Do one command and return its exit code."""
    configuration = _configuration(given)
    prepare(given.stack, debug=given.debug)
    with connected(configuration.tracking) as connection:
        return _ANSWERS[given.command](Desk(Registry(connection), configuration, given))


def _configuration(given: argparse.Namespace) -> Configuration:
    overrides = {
        "ingestion.source.location": getattr(given, "source", None),
        "ingestion.source.years": getattr(given, "years", None),
    }
    names = {"ingestion.source.location": "--source", "ingestion.source.years": "--years"}
    return load([Path(file) for file in given.config], overrides, names)
