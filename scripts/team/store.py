"""SeaweedFS, an S3-compatible store that checks signatures."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from scripts.team.processes import free_port, process, program


@dataclass(frozen=True)
class S3Server:
    """An S3-compatible store, with one user and one bucket."""

    endpoint: str
    key: str = field(default_factory=lambda: token_hex(16))
    secret: str = field(default_factory=lambda: token_hex(32), repr=False)
    bucket: str = "accidents"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the stack files ask for."""
        return {
            "ARTIFACT_BUCKET": f"s3://{self.bucket}/zenml",
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def client(self, secret: str | None = None) -> "boto3.client":
        """A client of it, with another secret where one is given."""
        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=self.key, aws_secret_access_key=secret or self.secret,
            region_name="us-east-1", config=Config(retries={"max_attempts": 1}),
        )  # fmt: skip

    def objects(self) -> list[str]:
        """The keys of all objects in the bucket."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def create_bucket(self) -> bool:
        """Create the bucket and an object in it; whether the store was ready for both."""
        try:
            self.client().create_bucket(Bucket=self.bucket)
        except (BotoCoreError, ClientError) as error:
            if "BucketAlready" not in str(error):
                return False
        try:
            self.client().put_object(Bucket=self.bucket, Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError):
            return False
        return True


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """SeaweedFS with its data in a folder."""
    weed = program("weed")
    ports = {name: (free_port(), free_port()) for name in ("master", "volume", "filer", "s3")}
    server = S3Server(f"http://127.0.0.1:{ports['s3'][0]}")
    user = {
        "name": "accidents",
        "credentials": [{"accessKey": server.key, "secretKey": server.secret}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    (folder / "data").mkdir(parents=True)
    (folder / "users.json").write_text(json.dumps({"identities": [user]}))
    command = [weed, "-logtostderr=true", "server", "-dir", str(folder / "data"), "-filer", "-s3"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += [f"-{name}.port={http}" for name, (http, _) in ports.items()]
    command += [f"-{name}.port.grpc={grpc}" for name, (_, grpc) in ports.items()]
    command += [f"-s3.config={folder / 'users.json'}", "-master.telemetry=false", "-s3.port.iceberg=0"]
    command += ["-s3.port.lance=0", "-volume.max=20", "-master.volumeSizeLimitMB=64"]
    with process(command, folder) as running:
        running.wait_for(server.endpoint)
        running.wait_until(server.create_bucket)
        yield server
