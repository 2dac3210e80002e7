"""Publication of a model in a folder or a bucket, and the copy that a service takes of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from accidents.bundle.publication import POINTER_FILE, FetchedModel, fetch_model, publish_model
from accidents.errors import ModelError

NAME = "Accident_Prediction_Lightgbm"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    boto3.client("s3").create_bucket(Bucket="models")
    yield "s3://models/accidents"
    server.stop()


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.long)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "published") if request.param == "folder" else request.getfixturevalue("bucket")


def publish(location: str, folder: Path, version: int, *, expected: bool = True) -> None:
    model, answers = folder / "model.zip", folder / "answers.json"
    model.write_bytes(b"model %d" % version)
    answers.write_text(f"[{version}]")
    publish_model(location, NAME, str(version), model, answers if expected else None)


def contents(fetched: FetchedModel) -> tuple[str, bytes, str]:
    expected = fetched.expected_predictions.read_text() if fetched.expected_predictions else ""
    return fetched.published.version, fetched.model_file.read_bytes(), expected


def test_service_gets_the_model_that_was_published_last(location: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(ModelError, match="nothing is published there"):
        fetch_model(location, cache)
    for version in (1, 2):
        publish(location, tmp_path, version)
        assert contents(fetch_model(location, cache)) == (str(version), b"model %d" % version, f"[{version}]")
    publish(location, tmp_path, 1, expected=False)
    assert contents(fetch_model(location, cache)) == ("1", b"model 1", "")


def test_copies_of_old_versions_are_deleted(tmp_path: Path) -> None:
    location, cache = str(tmp_path / "published"), tmp_path / "cache"
    for version in range(8):
        publish(location, tmp_path, version)
        fetch_model(location, cache)
    names = {path.name for path in cache.iterdir()}
    assert len(names) == 7
    assert {name.split("-")[1] for name in names - {POINTER_FILE}} == {"5", "6", "7"}


def test_last_model_answers_while_the_location_is_away(tmp_path: Path) -> None:
    location, cache = tmp_path / "published", tmp_path / "cache"
    publish(str(location), tmp_path, 1)
    fetch_model(str(location), cache)
    location.rename(tmp_path / "away")
    fetched = fetch_model(str(location), cache)
    assert contents(fetched) == ("1", b"model 1", "[1]")
    assert "nothing is published" in fetched.problem


def test_replaced_file_is_refused(tmp_path: Path) -> None:
    location = tmp_path / "published"
    publish(str(location), tmp_path, 1)
    file = next((location / "models").glob("*.zip"))
    file.write_bytes(b"other!!")
    with pytest.raises(ModelError, match="by SHA-256; publish it again"):
        fetch_model(str(location), tmp_path / "cache")


@pytest.mark.parametrize("name", ["../outside.zip", "/etc/passwd", "", "a/b", ".hidden"])
def test_pointer_reaches_no_other_folder(tmp_path: Path, name: str) -> None:
    location = tmp_path / "published"
    publish(str(location), tmp_path, 1)
    pointer = json.loads((location / POINTER_FILE).read_text())
    pointer["model"]["name"] = name
    (location / POINTER_FILE).write_text(json.dumps(pointer))
    with pytest.raises(ModelError, match=r"does not name a model: model\.name"):
        fetch_model(str(location), tmp_path / "cache")
