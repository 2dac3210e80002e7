"""The stacks that ship: each is valid once its variables are set, and the check names the extra that is missing."""

from importlib.metadata import PackageNotFoundError

import pytest
from zenml.client import Client

from accidents.errors import ConfigurationError
from cli.stack import LOCAL_STACKS, stack_environment
from stacks import extras
from stacks.definition import find_stack_file, list_stack_files, read_stack_file
from stacks.extras import missing_packages
from stacks.registration import register_absent, register_stack

VARIABLES = {
    "ARTIFACT_BUCKET": "s3://artifacts/zenml",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "hush",
    "AWS_REGION": "eu-west-1",
    "AZURE_ML_WORKSPACE": "workspace",
    "AZURE_RESOURCE_GROUP": "group",
    "AZURE_STORAGE_CONNECTION_STRING": "hush",
    "AZURE_SUBSCRIPTION_ID": "subscription",
    "CONTAINER_REGISTRY": "registry.example.org/accidents",
    "GOOGLE_CLOUD_PROJECT": "project",
    "GOOGLE_CLOUD_REGION": "europe-west1",
    "KUBERNETES_CONTEXT": "cluster",
    "MLFLOW_TRACKING_URI": "https://mlflow.example.org",
    "SAGEMAKER_ROLE_ARN": "arn:aws:iam::1:role/training",
}
OF_CLOUDS = {
    "aws": {"CONTAINER_REGISTRY": "1.dkr.ecr.eu-west-1.amazonaws.com"},
    "azure": {"ARTIFACT_BUCKET": "az://artifacts", "CONTAINER_REGISTRY": "accidents.azurecr.io"},
    "gcp": {"ARTIFACT_BUCKET": "gs://artifacts", "CONTAINER_REGISTRY": "europe-west1-docker.pkg.dev/project/x"},
}


def test_the_stacks_from_a_laptop_to_the_clouds_ship() -> None:
    assert list(list_stack_files()) == sorted([*LOCAL_STACKS, "local-s3", "team", "kubernetes", "aws", "gcp", "azure"])


@pytest.mark.slow
@pytest.mark.parametrize("name", list_stack_files())
def test_each_registers_and_keeps_secrets_apart(name: str) -> None:
    definition = read_stack_file(find_stack_file(name), VARIABLES | OF_CLOUDS.get(name, {}))
    assert register_stack(definition, VARIABLES)[-1].result in {"created", "unchanged"}
    stack = Client().get_stack(name, allow_name_prefix_match=False)
    configurations = [model.configuration for models in stack.components.values() for model in models]
    assert "hush" not in str(configurations)
    tracker = definition.components.get("experiment_tracker")  # type: ignore[call-overload]
    assert name == "local" or tracker.configuration["tracking_uri"] == VARIABLES["MLFLOW_TRACKING_URI"]


@pytest.mark.parametrize("name", ["local-s3", "team", "kubernetes", "aws", "gcp", "azure"])
def test_what_is_to_be_filled_in_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"the variable [A-Z_]+ is not set"):
        read_stack_file(find_stack_file(name), {})


def test_local_stacks_are_registered_once_and_never_switched_to() -> None:
    before = Client().active_stack_model.name
    assert register_absent(LOCAL_STACKS, {}) == []
    assert register_absent(LOCAL_STACKS, {}) == []
    assert {*LOCAL_STACKS} <= {stack.name for stack in Client().list_stacks(size=1000).items}
    assert Client().active_stack_model.name == before


def test_a_repository_of_dagshub_is_the_server_of_stack_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("DAGSHUB_REPO", "ann/roads")
    monkeypatch.setenv("DAGSHUB_TOKEN", "hush")
    environment = stack_environment()
    assert environment["MLFLOW_TRACKING_URI"] == "https://dagshub.com/ann/roads.mlflow"
    assert environment["MLFLOW_TRACKING_PASSWORD"] == "hush"  # noqa: S105  # of no server


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    assert list(missing_packages("s3")) == list(missing_packages("kubernetes")) == list(missing_packages("")) == []
    monkeypatch.setattr(extras, "version", absent)
    assert next(missing_packages("kubernetes")) == (
        "kubernetes is not installed; it belongs to the extra [kubernetes]: make install"
    )
    assert next(missing_packages("gcp")) == (
        "gcsfs is not installed; it belongs to the extra [gcp]: make install VENV=.venv-gcp LOCK=requirements-gcp.lock"
    )
