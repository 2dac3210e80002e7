"""Configuration of the engine: where the work of the steps is done."""

from typing import Literal

from pydantic import Field

from accidents.configuration.project_path import ProjectPath
from accidents.settings import Settings

EngineKind = Literal["local", "dask"]


class EngineSettings(Settings):
    """This process, or a Dask cluster."""

    kind: EngineKind = "local"
    """local: the process of a step; dask: the workers of a cluster."""
    address: str | None = Field(None, pattern=r"^(tcp|tls|ucx|ws|wss)://\S+$")
    """Dask scheduler, such as tcp://10.0.0.5:8786; null: a cluster of processes on this machine, for this run."""
    workers: int | None = Field(None, ge=1, le=1000)
    """Here: processes, null: one a processor; at an address: workers to wait for, null: one."""
    timeout_seconds: float = Field(20, gt=0)
    """Patience with a scheduler that does not answer, or has too few workers."""
    shared_folder: ProjectPath | None = None
    """Folder that this machine and all workers see, for the parts of files to score; null: of this machine alone."""


LOCAL_ENGINE = EngineSettings()
"""The engine where none is configured."""
