"""Script: promotes versions to Production on command, for tests of concurrent promotions.

Takes the URI of a store. Reads JSON lines `{"model", "version"}` and then `{"at"}`, the time to begin, and answers each
with a JSON line. With `stop`, the name of a method of the MLflow client, it blocks before it calls that method.
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


def send(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def stop_before(connection: Connection, method: str) -> Connection:
    """A connection whose client blocks before it calls a method."""
    from mlflow import MlflowClient

    class Stopping(MlflowClient):
        pass

    def stop(*_: object, **__: object) -> None:
        send(stopped=method)
        time.sleep(600)

    setattr(Stopping, method, stop)
    address = connection.target.uri
    return replace(connection, client=Stopping(address, address))


def promote(connection: Connection, command: dict[str, Any]) -> None:
    if "stop" in command:
        connection = stop_before(connection, command["stop"])
    registry = Registry(connection)
    version = registry.version(command["model"], command["version"])
    holder = registry.holder(version.name, PRODUCTION)
    send(ready=True)
    start = json.loads(sys.stdin.readline())["at"]
    while time.time() < start:
        pass
    try:
        transition(
            registry, version, PRODUCTION, LedgerEntry("promote", version.name, version.version, PRODUCTION), holder
        )
        send(won=version.version)
    except AccidentsError as error:
        send(lost=version.version, kind=type(error).__name__, why=str(error))


def main(uri: str, artifacts: str | None) -> None:
    from zenml.client import Client

    assert Client().active_stack_model.name
    with connect(TrackingSettings(), TrackingTarget(uri, "tests", artifacts)) as connection:
        send(here=True)
        for line in iter(sys.stdin.readline, ""):
            promote(connection, json.loads(line))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
