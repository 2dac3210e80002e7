"""What a killed command may leave: temporary files, locks, runs that do not run."""

from pathlib import Path

from tracking.registry import Registry


def assert_nothing_is_left(registry: Registry) -> None:
    """No lock, no MLflow run that is RUNNING, no ZenML run that runs."""
    from zenml.client import Client

    client = registry.connection.client
    assert [model.name for model in client.search_registered_models() if ".lock" in model.name] == []
    experiments = [one.experiment_id for one in client.search_experiments()]
    assert client.search_runs(experiments, "attributes.status = 'RUNNING'") == []
    unfinished = Client().list_pipeline_runs(status='oneof:["initializing", "provisioning", "running"]').items
    assert [run.name for run in unfinished] == []


def temporary_files(folder: Path) -> list[Path]:
    """Temporary files of commands in a folder, without those of MLflow."""
    return [path for path in folder.rglob(".*.tmp") if "mlruns" not in path.parts]
