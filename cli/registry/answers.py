"""What each command of the registry does; connects first, and prints at the end."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from accidents.configuration.loading import Configuration, load_configuration
from cli.registry import evaluation, queries, transitions
from cli.registry.context import Desk
from cli.zenml_session import prepare
from tracking.connection import connect
from tracking.registry import Registry

_ANSWERS: Mapping[str, Callable[[Desk], int]] = {
    "list-models": queries.list_models,
    "list-versions": queries.list_versions,
    "get-model": queries.get_model,
    "history": queries.history,
    "transition": transitions.give_stage,
    "promote": transitions.promote,
    "archive": transitions.archive,
    "rollback": transitions.rollback,
    "delete-version": transitions.delete_version,
    "delete-model": transitions.delete_model,
    "prune": transitions.prune,
    "check": transitions.check,
    "compare": evaluation.compare,
    "evaluate-promotion": evaluation.evaluate_promotion,
    "auto-promote": evaluation.auto_promote,
}


def answer(given: argparse.Namespace) -> int:
    """Do one command and return its exit code."""
    configuration = _configuration(given)
    prepare(given.stack, debug=given.debug)
    with connect(configuration.tracking) as connection:
        return _ANSWERS[given.command](Desk(Registry(connection), configuration, given))


def _configuration(given: argparse.Namespace) -> Configuration:
    overrides = {
        "ingestion.source.location": getattr(given, "source", None),
        "ingestion.source.years": getattr(given, "years", None),
    }
    names = {"ingestion.source.location": "--source", "ingestion.source.years": "--years"}
    return load_configuration([Path(file) for file in given.config], overrides, names)
