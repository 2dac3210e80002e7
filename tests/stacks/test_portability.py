"""The same training on every stack that runs without an account, switched by `zenml stack set`."""

import json
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import create_engine, text

from scripts.team.servers import zenml_server
from scripts.team.store import S3Server
from tests.conftest import PROJECT
from tests.pipelines.conftest import small_tracked_training
from tests.servers import mariadb, s3_server
from tests.tracking.servers import mlflow_server, postgresql

pytestmark = pytest.mark.long

ZENML = str(Path(sys.executable).with_name("zenml"))
FREE_OF_STACKS = ("ZENML_", "MLFLOW_TRACKING", "AWS_", "ARTIFACT_BUCKET")


@dataclass
class Client:
    """A user of a machine: a configuration folder of their own, and output folders."""

    folder: Path
    variables: dict[str, str]
    training: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.training = ["run.py", "--training", *small_tracked_training(self.folder)]
        self.training += ["--models", "lightgbm", "logistic_regression"]

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FREE_OF_STACKS)}
        own = {"ZENML_CONFIG_PATH": str(self.folder / "config"), "ZENML_ANALYTICS_OPT_IN": "false"}
        return kept | own | self.variables

    def run(self, *command: str) -> str:
        """What a command prints."""
        ended = subprocess.run(command, cwd=PROJECT, env=self.environment, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
        return ended.stdout

    def train(self, stack: str, *options: str) -> dict[str, Any]:
        """Switch to a stack and train there; metrics, proposed model and fingerprint."""
        self.run(ZENML, "stack", "set", stack)
        assert f"stack {stack}" in self.run(sys.executable, *self.training, *options)
        reports, models = self.folder / "reports" / "metrics", self.folder / "models"
        return {
            "metrics": {file.name: json.loads(file.read_text()) for file in sorted(reports.glob("*_metrics.json"))},
            "proposed": json.loads((models / "best_model.json").read_text())["model_type"],
            "fingerprint": json.loads((self.folder / "data" / "raw" / "manifest.json").read_text())["fingerprint"],
        }

    def runs(self) -> list[str]:
        """Names of the runs that this client sees."""
        code = "from zenml.client import Client\nprint(*(run.name for run in Client().list_pipeline_runs().items))"
        return sorted(self.run(sys.executable, "-c", code).split())


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3") / "server") as server:
        yield server


@pytest.fixture(scope="module")
def on_local(tmp_path_factory: pytest.TempPathFactory) -> tuple[Client, dict[str, Any]]:
    """A client, and its training on the stack `local`."""
    folder = tmp_path_factory.mktemp("laptop") / "client"
    client = Client(folder, {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow/mlflow.db"})
    client.run(sys.executable, "run.py", "stack", "register", "local", "local-mlflow")
    return client, client.train("local", "--no-cache")


FEATURES = """
from cli.notebook import load_artifact
from zenml.client import Client
print(Client().get_artifact_version("features").data_type.attribute, len(load_artifact("features")))
"""


def test_the_stacks_of_a_laptop_train_the_same_models(on_local: tuple[Client, dict[str, Any]], s3: S3Server) -> None:
    client, expected = on_local
    assert len(expected["metrics"]) == 2
    assert client.train("local-mlflow", "--no-cache") == expected

    client.variables |= s3.environment
    client.run(sys.executable, "run.py", "stack", "register", "local-s3")
    assert client.train("local-s3", "--no-cache") == expected
    assert {key.split("/")[1] for key in s3.objects() if key.startswith("zenml/")} >= {
        "ingest", "build_features", "train_lightgbm", "train_logistic_regression", "compare_models", "track_training",
    }  # fmt: skip
    assert "reads and writes s3://" in client.run(sys.executable, "run.py", "stack", "check", "local-s3", "--json")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3.client("another-secret").list_objects_v2(Bucket=s3.bucket)


def test_workers_of_a_cluster_use_the_object_store(on_local: tuple[Client, dict[str, Any]], s3: S3Server) -> None:
    client, expected = on_local
    client.variables |= s3.environment
    client.run(sys.executable, "run.py", "stack", "register", "local-s3")
    found = client.train("local-s3", "--no-cache", "--engine", "dask", "--engine-workers", "1")
    assert found["fingerprint"] == expected["fingerprint"]
    assert client.run(sys.executable, "-c", FEATURES).split()[0] == "FrameFile"
    for name, metrics in expected["metrics"].items():
        assert found["metrics"][name]["roc_auc"] == pytest.approx(metrics["roc_auc"], abs=0.002)


def test_a_team_shares_runs_and_its_server_may_die(
    on_local: tuple[Client, dict[str, Any]], s3: S3Server, tmp_path: Path
) -> None:
    _, expected = on_local
    s3_of_mlflow = s3.environment | {"MLFLOW_S3_ENDPOINT_URL": s3.endpoint}
    (tmp_path / "mlflow").mkdir()
    with (
        mariadb(tmp_path / "mariadb") as database,
        zenml_server(tmp_path / "zenml", database) as server,
        postgresql() as tracking,
        mlflow_server(tmp_path / "mlflow", tracking, f"s3://{s3.bucket}/mlflow", **s3_of_mlflow) as mlflow,
    ):
        access = server.client_variables()
        ann = Client(tmp_path / "ann", access | s3.environment | {"MLFLOW_TRACKING_URI": mlflow})
        ben = Client(tmp_path / "ben", access)
        ann.run(sys.executable, "run.py", "stack", "register", "team")
        assert ann.train("team", "--no-cache") == expected
        assert ben.train("team") == expected
        assert len(ann.runs()) == 2
        assert ann.runs() == ben.runs()
        assert [key for key in s3.objects() if key.startswith("mlflow/")]
        _check_encryption(database, s3.secret)
        _check_killed_server(ben, server.process.running)


def _check_encryption(database: str, secret: str) -> None:
    engine = create_engine(database.replace("mysql://", "mysql+pymysql://"))
    with engine.connect() as connection:
        stored = str(connection.execute(text("SELECT * FROM secret")).fetchall())
    engine.dispose()
    assert "team-s3" in stored
    assert secret not in stored
    assert b64encode(secret.encode()).decode() not in stored


def _check_killed_server(client: Client, server: "subprocess.Popen[bytes]") -> None:
    """A training whose server is killed in the middle ends with one paragraph."""
    environment = client.environment | {"ZENML_STORE_HTTP_TIMEOUT": "5"}
    command = [sys.executable, "-u", *client.training, "--no-cache"]
    log = client.folder / "killed.log"
    with log.open("w") as out:
        training = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=out, stderr=subprocess.STDOUT)
        while "`build_features` has started" not in log.read_text():
            assert training.poll() is None, log.read_text()
            time.sleep(0.1)
        server.kill()
        assert training.wait(300) == 1
    *_, message = log.read_text().rpartition("error: ")
    assert "does not answer (no connection); start it, or go back to the store of this machine" in message
    assert len(message.splitlines()) == 1
    assert "Traceback" not in log.read_text()
