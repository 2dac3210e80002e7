"""Prometheus metrics of the worker processes, and of the disks that the service writes to.

The collector of prometheus_client knows its own process alone, and does not work with several workers.
"""

import shutil
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy import Engine

from serving.records.database import SQLITE


class ResourceMetrics:
    """Processor time, memory, open files and free space.

    Args:
        registry: registry of the application.
        folders: folders on the disks to watch, by what they are for.
    """

    def __init__(self, registry: CollectorRegistry, folders: Mapping[str, Path]) -> None:
        common: dict[str, Any] = {"namespace": "accidents", "registry": registry}
        summed, most_recent = common | {"multiprocess_mode": "livesum"}, common | {"multiprocess_mode": "mostrecent"}
        self._process, self._folders, self._seconds = psutil.Process(), folders, 0.0
        self._lock = threading.Lock()
        self._workers = Gauge("workers", "Worker processes", **summed)
        self._cpu = Counter("cpu_seconds", "Processor time of all workers", **common)
        self._memory = Gauge("resident_memory_bytes", "Memory of all workers", **summed)
        self._files = Gauge("open_files", "Open files and connections of all workers", **summed)
        self._free = Gauge("disk_free_bytes", "Free space of the disk of a folder", ("folder",), **most_recent)
        self._size = Gauge("disk_size_bytes", "Size of the disk of a folder", ("folder",), **most_recent)

    def update(self) -> None:
        """Measure everything now."""
        with self._lock:
            times = self._process.cpu_times()
            seconds = times.user + times.system
            self._cpu.inc(max(seconds - self._seconds, 0.0))
            self._seconds = seconds
        self._workers.set(1)
        self._memory.set(self._process.memory_info().rss)
        self._files.set(self._process.num_fds())
        for name, folder in self._folders.items():
            with suppress(OSError):  # the last value stays
                usage = shutil.disk_usage(folder)
                self._free.labels(name).set(usage.free)
                self._size.labels(name).set(usage.total)


def disk_folders(engine: Engine) -> dict[str, Path]:
    """Folders that the service writes to: for large bodies, and of the database where that is a file."""
    folders = {"temporary": Path(tempfile.gettempdir())}
    if engine.dialect.name == SQLITE and engine.url.database:
        folders["database"] = Path(engine.url.database).resolve().parent
    return folders
