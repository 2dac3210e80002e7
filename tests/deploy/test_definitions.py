"""Lock files, Dockerfile and manifests agree with the project."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from accidents.configuration.serving import ServingSettings
from tests.conftest import PROJECT

MANIFESTS = PROJECT / "deploy" / "kubernetes"
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
EXTRAS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def locked(name: str) -> dict[str, str]:
    """Versions by package."""
    lines = (PROJECT / name).read_text().splitlines()
    return {found[1]: found[2] for line in lines if (found := re.match(r"([a-z0-9.-]+)==(\S+)", line))}


def required_by(*extras: str) -> set[str]:
    """Packages that the project asks for on Linux."""
    wanted = [*EXTRAS["dependencies"], *(one for extra in extras for one in EXTRAS["optional-dependencies"][extra])]
    return {re.sub(r"[-_.]+", "-", Requirement(one).name).lower() for one in wanted} - {"xgboost"}  # of macOS


@pytest.mark.parametrize("image", ["serving", "pipelines", "mlflow"])
def test_images_have_the_versions_of_the_project(image: str) -> None:
    packages = locked(f"requirements-{image}.lock")
    assert packages.items() <= locked("requirements.lock").items()
    assert "pytest" not in packages
    if image != "mlflow":
        assert required_by(image) <= {*packages}
    if image == "serving":
        assert packages.keys().isdisjoint({"zenml", "mlflow", "jupyterlab", "matplotlib", "pandera", "boto3"})


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_on_a_cloud_every_engine_can_be_chosen(cloud: str) -> None:
    assert required_by("pipelines", "dask", cloud) <= {*locked(f"requirements-{cloud}.lock")}


@pytest.mark.parametrize("file", sorted(PROJECT.glob("requirements-*.in")), ids=lambda file: file.stem)
def test_lock_files_have_what_is_required(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith(("#", "-"))]
    names = {re.sub(r"[-_.]+", "-", Requirement(line).name).lower() for line in lines}
    assert names <= {*locked(file.with_suffix(".lock").name)}


def test_build_gets_what_the_dockerfile_copies() -> None:
    allowed = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()
    ]
    assert sources
    for source in sources:
        assert (PROJECT / source).exists(), source
        assert any(Path(source).is_relative_to(one) or Path(source).match(one) for one in allowed), source


def test_final_images_are_of_an_ordinary_user() -> None:
    for target in ("serving", "pipelines", "mlflow"):
        stage = DOCKERFILE.partition(f"FROM base AS {target}\n")[2].partition("\nFROM ")[0]
        assert "USER 10001:10001" in stage
        assert "HEALTHCHECK" in stage
        assert "org.opencontainers.image.revision" in stage


def workloads() -> list[dict[str, Any]]:
    files = [file for file in MANIFESTS.rglob("*.yaml") if file.parent.name in {"base", "jobs"}]
    documents = [one for file in files for one in yaml.safe_load_all(file.read_text())]
    return [one for one in documents if one.get("kind") in {"Deployment", "CronJob", "Job"}]


@pytest.mark.parametrize("workload", workloads(), ids=lambda one: one["metadata"]["name"])
def test_pods_can_write_only_volumes_and_have_no_rights(workload: dict[str, Any]) -> None:
    spec = workload["spec"]
    pod = (spec["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else spec)["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        security = container["securityContext"]
        assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        files = [one["value"] for one in container.get("env", ()) if one["name"].endswith("_FILE")]
        assert files
        assert all(file.startswith("/run/secrets/accidents/") for file in files)


def test_pods_get_the_time_that_a_graceful_stop_may_take() -> None:
    own = yaml.safe_load((MANIFESTS / "base" / "serving.yaml").read_text())
    assert own.pop("pipeline") == "serving"
    settings = ServingSettings.model_validate(own)
    pod = yaml.safe_load((MANIFESTS / "base" / "deployment.yaml").read_text())["spec"]["template"]["spec"]
    hook = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    # Running requests and the prediction log have `stop_seconds` each.
    assert pod["terminationGracePeriodSeconds"] > int(hook[1]) + 2 * settings.stop_seconds


def test_servers_of_a_team_are_reached_from_this_machine_alone_and_can_write_only_volumes() -> None:
    compose = yaml.safe_load((PROJECT / "compose.yaml").read_text())
    made = (PROJECT / "deploy" / "compose" / "secrets.sh").read_text()
    for name, service in compose["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {*service.get("secrets", ())} <= {*compose["secrets"]}, name
        variables = service.get("environment", {})
        assert not [one for one in variables if re.search("PASSWORD$|SECRET$|_KEY$", one)], "secrets come from files"
    assert all(re.search(rf"\b{re.escape(name)}\b", made) for name in compose["secrets"])
    assert "ZENML_SECRETS_STORE_ENCRYPTION_KEY_FILE" in compose["services"]["zenml"]["environment"]
