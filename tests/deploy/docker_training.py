"""Trains through ZenML's local_docker orchestrator: `python -m tests.deploy.docker_training IMAGE FOLDER`.

ZENML_CONFIG_PATH and ZENML_LOCAL_STORES_PATH name a store of its own, which containers see under the same path, and
DOCKER_HOST the engine.
"""

import sys
from pathlib import Path

import yaml
from zenml.client import Client
from zenml.enums import StackComponentType

from pipelines.session import prepare_process
from pipelines.training import training


def main(image: str, folder: Path) -> None:
    """Register the stack, run the pipeline with every step in a container of the image, and print the status."""
    prepare_process()
    client = Client()
    client.create_stack_component("docker", "local_docker", StackComponentType.ORCHESTRATOR, configuration={})
    components = {StackComponentType.ORCHESTRATOR: "docker", StackComponentType.ARTIFACT_STORE: "default"}
    client.create_stack("docker", components)
    client.activate_stack("docker")
    settings = {
        "docker": {"parent_image": image, "skip_build": True},
        "orchestrator": {"run_args": {"network_mode": "host", "remove": True}},
    }
    file = folder / "run.yaml"
    file.write_text(yaml.safe_dump({"settings": settings}))
    configuration = {
        "ingestion": {"source": {"sample": {"accidents": 1500}}},
        "training": {"models": ["logistic_regression"], "threads": 1},
        "evaluation": {"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
        "tracking": {"folder": str(folder / "stores" / "mlruns")},
    }
    training.with_options(config_path=str(file))(configuration=configuration)
    run = client.list_pipeline_runs(size=1, sort_by="desc:created").items[0]
    print(run.status.value, *sorted(run.steps), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
