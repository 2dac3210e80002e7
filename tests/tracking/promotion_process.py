"""A process that changes stages when it is told to, for tests of several at once.

Takes the URI of a store. Reads lines of JSON: `model`, `version`, `at` (time to begin) for a promotion to Production;
with `stop`, the name of a method of the client, it stops there for good until it is killed. Answers each line with one.
"""

import json
import sys
import time
from dataclasses import replace
from typing import Any

from accidents.configuration.stages import PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import AccidentsError
from tracking.connection import Connection, connect
from tracking.ledger import LedgerEntry
from tracking.registry import Registry
from tracking.stages import transition
from tracking.tracking_uri import TrackingTarget


def tell(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def stopping(connection: Connection, method: str) -> Connection:
    """A connection whose client stops before it calls a method."""
    from mlflow import MlflowClient

    class Stopping(MlflowClient):
        pass

    def stop(*_: object, **__: object) -> None:
        tell(stopped=method)
        time.sleep(600)

    setattr(Stopping, method, stop)
    address = connection.target.uri
    return replace(connection, client=Stopping(address, address))


def promote(connection: Connection, order: dict[str, Any]) -> None:
    if "stop" in order:
        connection = stopping(connection, order["stop"])
    registry = Registry(connection)
    version = registry.version(order["model"], order["version"])
    seen = registry.holder(version.name, PRODUCTION)
    tell(ready=True)
    start = json.loads(sys.stdin.readline())["at"]
    while time.time() < start:
        pass
    try:
        transition(
            registry, version, PRODUCTION, LedgerEntry("promote", version.name, version.version, PRODUCTION), seen
        )
        tell(won=version.version)
    except AccidentsError as error:
        tell(lost=version.version, kind=type(error).__name__, why=str(error))


def main(uri: str, artifacts: str | None) -> None:
    from zenml.client import Client

    assert Client().active_stack_model.name
    with connect(TrackingSettings(), TrackingTarget(uri, "tests", artifacts)) as connection:
        tell(here=True)
        for line in iter(sys.stdin.readline, ""):
            promote(connection, json.loads(line))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
