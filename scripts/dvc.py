"""DVC with the settings of the project: the Make targets `dvc-…` run it. It needs `make dvc-init` once.

python -m scripts.dvc setup-remote  set the remote `origin` in .dvc/config: DVC_REMOTE_URL, or DAGSHUB_REPO
python -m scripts.dvc repro         pull what the remote has, then run the stages that have changed
python -m scripts.dvc ARGUMENTS     any other command of DVC

`.env` is read as for `run.py`. Credentials stay in the environment: nothing writes them to a file.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from accidents.errors import AccidentsError, ConfigurationError
from cli.zenml_session import load_environment
from tracking.tracking_uri import dagshub_repository

PROJECT = Path(__file__).resolve().parents[1]
_DVC = PROJECT / ".venv-dvc" / "bin" / "dvc"
_REMOTE = "origin"
_DAGSHUB_BUCKET = "s3://dvc"


def remote_settings(environment: Mapping[str, str]) -> tuple[str, str | None]:
    """URL and S3 endpoint of the remote; the endpoint is None where the URL needs none.

    Raises:
        ConfigurationError: the environment names no remote, or DAGSHUB_REPO is not `user/repo`.
    """
    if url := environment.get("DVC_REMOTE_URL"):
        return url, environment.get("AWS_ENDPOINT_URL") or None if url.startswith("s3://") else None
    if repository := dagshub_repository(environment):
        return _DAGSHUB_BUCKET, f"https://dagshub.com/{repository}.s3"
    raise ConfigurationError(
        "no remote: set DAGSHUB_REPO and DAGSHUB_TOKEN, or DVC_REMOTE_URL (s3://bucket/folder, or a folder), in .env"
    )


def process_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment of DVC: the token of DagsHub is both keys of its S3 storage.

    Raises:
        ConfigurationError: the remote is on DagsHub, and there is no DAGSHUB_TOKEN.
    """
    if environment.get("DVC_REMOTE_URL") or not dagshub_repository(environment):
        return dict(environment)
    if not (token := environment.get("DAGSHUB_TOKEN")):
        raise ConfigurationError("DAGSHUB_REPO is set without DAGSHUB_TOKEN: set both in .env")
    return dict(environment) | {"AWS_ACCESS_KEY_ID": token, "AWS_SECRET_ACCESS_KEY": token}


def main(arguments: list[str]) -> int:
    """Run a command of DVC; returns the exit code."""
    load_environment()
    try:
        if not _DVC.exists():
            raise ConfigurationError(f"{_DVC}: DVC is not installed: make dvc-init")
        if arguments == ["setup-remote"]:
            return _setup_remote()
        repro = arguments[:1] == ["repro"] and (PROJECT / "dvc.lock").is_file() and _has_remote()
        return (repro and _run("pull", "--allow-missing")) or _run(*arguments)
    except AccidentsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _setup_remote() -> int:
    url, endpoint = remote_settings(os.environ)
    code = _run("remote", "add", "--force", "--default", _REMOTE, url)
    if endpoint and not code:
        code = _run("remote", "modify", _REMOTE, "endpointurl", endpoint)
    if not code:
        print(f"remote {_REMOTE}: {url}{f' at {endpoint}' if endpoint else ''}, in .dvc/config")
    return code


def _has_remote() -> bool:
    command = [_DVC, "remote", "list"]
    return bool(subprocess.run(command, cwd=PROJECT, capture_output=True, check=True).stdout.strip())  # noqa: S603


def _run(*arguments: str) -> int:
    environment = process_environment(os.environ)
    return subprocess.run([_DVC, *arguments], cwd=PROJECT, env=environment, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
