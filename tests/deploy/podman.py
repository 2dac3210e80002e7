"""Containers of the project's images by podman, with the configuration that works without systemd."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_WITHOUT_SYSTEMD = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
"""
LOCKED_DOWN = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--memory", "1g")
TEMPORARY = ("--tmpfs", "/tmp:size=512m,mode=1777")  # noqa: S108  # of the container
"""Options of a container whose file system cannot be written, as compose.yaml and the manifests run it."""


@cache
def environment() -> dict[str, str]:
    """Environment in which podman runs containers: that of this process, or one for machines without systemd."""
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    if Path("/run/systemd/private").exists() or "CONTAINERS_CONF" in os.environ:
        return dict(os.environ)
    file = Path(tempfile.mkdtemp(prefix="accidents-podman-")) / "containers.conf"
    file.write_text(_WITHOUT_SYSTEMD)
    return os.environ | {"CONTAINERS_CONF": str(file)}


def podman(*arguments: str | Path, check: bool = True, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run podman; fails with what it printed."""
    command = ["podman", *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, **options)
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done


def image(target: str) -> str:
    """Name of an image of the project; the test is skipped where it was not built."""
    name = f"localhost/accidents-{target}:latest"
    if podman("image", "exists", name, check=False).returncode:
        pytest.skip(f"there is no image {name}: make images")
    return name


@contextmanager
def container(*arguments: str | Path) -> Iterator[str]:
    """A container in the background, under a name of its own; removed with the block."""
    name = f"accidents-test-{uuid.uuid4().hex[:8]}"
    try:
        podman("run", "--detach", "--name", name, *arguments)
        yield name
    finally:
        podman("rm", "--force", "--time", "1", "--volumes", name, check=False)
