"""What grows with every training and is no longer needed: registered versions, MLflow runs, ZenML runs and artifacts.

Kept is whatever a version that stays needs: its MLflow run and that of its training, and the ZenML run that made it.
"""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.configuration.stages import NONE
from accidents.configuration.tracking import PruningSettings
from tracking.connection import Connection
from tracking.errors import TrackingError
from tracking.registry import RegisteredVersion, Registry
from tracking.tracking_uri import EMBEDDED

if TYPE_CHECKING:
    from uuid import UUID

    from mlflow.entities import Run
    from zenml.models import PipelineRunResponse

PIPELINES = ("ingestion", "features", "training", "evaluation", "inference", "deployment")
"""Pipelines whose runs are deleted; a ZenML server may have those of others, too."""

_PARENT = "mlflow.parentRunId"
_PAGE_SIZE = 1000
_UNFINISHED = "RUNNING"


@dataclass(frozen=True)
class Expired:
    """What the rule lets go: versions, MLflow runs of trainings with their nested runs, and ZenML runs."""

    versions: list[RegisteredVersion]
    runs: "list[Run]"
    zenml_runs: "list[PipelineRunResponse]"


def expired_versions(
    registry: Registry, names: Iterable[str], rule: PruningSettings, now: datetime
) -> list[RegisteredVersion]:
    """Versions without a stage that are older than the rule and not among the latest of their model."""
    before = now - timedelta(days=rule.older_than_days)
    return [
        version
        for name in names
        for version in registry.versions(name)[rule.keep_latest :]
        if version.stage == NONE and version.created <= before
    ]


def find_expired(registry: Registry, rule: PruningSettings, now: datetime) -> Expired:
    """Everything that the rule lets go; changes nothing."""
    versions = expired_versions(registry, registry.models(), rule, now)
    gone = {version.title for version in versions}
    kept = [one for name in registry.models() for one in registry.versions(name) if one.title not in gone]
    before = now - timedelta(days=rule.older_than_days)
    runs = _expired_runs(registry.connection, {one.run_id for one in kept}, rule.keep_latest, before)
    zenml_ids = {one.tags.get("zenml_run_id", "") for one in kept}
    return Expired(versions, runs, _expired_zenml_runs(zenml_ids, rule.keep_latest, before))


def _expired_runs(connection: Connection, kept: set[str], keep_latest: int, before: datetime) -> "list[Run]":
    """Runs of trainings, nested ones too, that ended before a time, hold none that is kept, and are not the latest."""
    from mlflow.entities import ViewType

    runs: list[Run] = []
    token: str | None = None
    while token != "":
        page = connection.client.search_runs(
            [connection.experiment_id], run_view_type=ViewType.ACTIVE_ONLY, max_results=_PAGE_SIZE, page_token=token
        )
        runs += page
        token = page.token or ""
    by_id = {run.info.run_id: run for run in runs}
    trainings: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        trainings[_training(run, by_id)].append(run)
    latest = sorted(trainings, key=lambda one: min(run.info.start_time for run in trainings[one]), reverse=True)
    return [
        run
        for training in latest[keep_latest:]
        if not any(_needed(run, kept, before) for run in trainings[training])
        for run in trainings[training]
    ]


def _needed(run: "Run", kept: set[str], before: datetime) -> bool:
    unfinished = run.info.status == _UNFINISHED
    return run.info.run_id in kept or unfinished or (run.info.end_time or 0) > 1000 * before.timestamp()


def _training(run: "Run", by_id: "dict[str, Run]") -> str:
    """Id of the outermost run around a run."""
    while (parent := run.data.tags.get(_PARENT)) in by_id:
        run = by_id[str(parent)]
    return str(run.info.run_id)


def _expired_zenml_runs(kept: set[str], keep_latest: int, before: datetime) -> "list[PipelineRunResponse]":
    """Finished runs of each of our pipelines from before a time that are not kept, and not among its latest."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    by_pipeline: dict[str, list[PipelineRunResponse]] = defaultdict(list)
    for run in depaginate(Client().list_pipeline_runs, sort_by="desc:created", size=100):
        if run.pipeline and run.pipeline.name in PIPELINES:
            by_pipeline[run.pipeline.name].append(run)
    limit = before.replace(tzinfo=None)
    return [
        run
        for runs in by_pipeline.values()
        for run in runs[keep_latest:]
        if str(run.id) not in kept and run.status.is_finished and run.created <= limit
    ]


def delete_runs(connection: Connection, runs: "Sequence[Run]") -> None:
    """Mark MLflow runs as deleted, as `mlflow gc` asks for."""
    for run in runs:
        connection.client.delete_run(run.info.run_id)


def delete_zenml_runs(runs: "Sequence[PipelineRunResponse]") -> int:
    """Delete ZenML runs, and the artifacts that thereby no run and no model version uses any more, with their files.

    Returns:
        The number of deleted artifacts.
    """
    from zenml.client import Client

    client = Client()
    before = _unused_artifacts()
    for run in runs:
        client.delete_pipeline_run(run.id)
    unused = _unused_artifacts() - before
    for artifact in unused:
        client.delete_artifact_version(artifact, delete_from_artifact_store=True)
    return len(unused)


def _unused_artifacts() -> "set[UUID]":
    """Ids of the artifact versions that no run uses."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    return {one.id for one in depaginate(Client().list_artifact_versions, only_unused=True, size=100)}


def collect_garbage(connection: Connection) -> bool:
    """Delete the files of everything that is marked as deleted in the embedded store, by `mlflow gc`.

    Returns:
        False where the store is a server's: `mlflow gc` runs there.

    Raises:
        TrackingError: `mlflow gc` failed.
    """
    target = connection.target
    if target.origin != EMBEDDED:
        return False
    process = subprocess.run(  # noqa: S603  # MLflow's own command
        [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", target.uri, "--tracking-uri", target.uri],
        env=os.environ | {"MLFLOW_TRACKING_URI": target.uri},
        cwd=Path(target.uri.removeprefix("sqlite:///")).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        last = process.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise TrackingError(f"mlflow gc failed: {last[0]}")
    return True
