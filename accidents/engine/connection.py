"""Connects to the engine that is configured; a cluster of processes is started once a process, and ends with it."""

import atexit
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from accidents.configuration.engine import EngineSettings
from accidents.engine.base import Engine, EngineError
from accidents.engine.local import LOCAL
from accidents.errors import ConfigurationError
from accidents.temporary_files import temporary_folder
from accidents.worker_process import available_cpus, without_main_module

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

_NO_PAGES: dict[str, list[str]] = {f"distributed.{process}.http.routes": [] for process in ("scheduler", "worker")}
"""Dask's HTTP servers, which start in any case, answer nothing."""


@contextmanager
def connect(settings: EngineSettings) -> Iterator[Engine]:
    """The configured engine, while the block runs.

    Raises:
        ConfigurationError: Dask is not installed.
        EngineError: no scheduler answers at the address, or it has too few workers.
    """
    if settings.kind == "local":
        yield LOCAL
        return
    _check_installed(settings)
    from accidents.engine.dask import DaskEngine

    with _client(settings) as client:
        engine = DaskEngine(client)
        engine.shared_folder = settings.shared_folder
        yield engine


def check_engine(settings: EngineSettings) -> None:
    """Check that the engine can be used, without starting one; errors are those of `connect`."""
    _check_installed(settings)
    if settings.kind == "dask" and settings.address:
        with connect(settings):
            pass


def _check_installed(settings: EngineSettings) -> None:
    if settings.kind == "dask" and find_spec("distributed") is None:
        raise ConfigurationError("--engine dask needs the extra dask: pip install '.[dask]' installs it")


@contextmanager
def _client(settings: EngineSettings) -> "Iterator[Client]":
    from distributed import Client

    for name in ("distributed", "distributed.client"):  # their messages would go to the handlers of ZenML
        logging.getLogger(name).setLevel(logging.CRITICAL)
    target: Any = settings.address or _local_cluster(settings.workers)
    try:
        client = Client(target, timeout=settings.timeout_seconds, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:  # refused, no such scheme, no certificate
        raise EngineError(
            f"engine.address = {target}: no Dask scheduler answers ({type(error).__name__}: {error}); start one with "
            "`dask scheduler`, or leave the address out for a cluster on this machine"
        ) from None
    with client:
        needed = settings.workers or 1
        try:
            client.wait_for_workers(needed, timeout=settings.timeout_seconds)
        except TimeoutError:
            found = len(client.nthreads())
            raise EngineError(
                f"engine.address = {settings.address}: the scheduler has {found} of {needed} workers; start more with "
                "`dask worker ADDRESS` in the folder of the project, or lower engine.workers"
            ) from None
        yield client


@cache
def _local_cluster(workers: int | None) -> "LocalCluster":
    """A cluster of processes that listen on 127.0.0.1 and accept only clients of this process (TLS)."""
    import dask
    from distributed import LocalCluster
    from distributed.security import Security

    processors = available_cpus()
    processes = workers or processors
    resources = ExitStack()
    atexit.register(resources.close)
    folder = resources.enter_context(temporary_folder())
    with dask.config.set(_NO_PAGES), without_main_module():
        return resources.enter_context(
            LocalCluster(
                n_workers=processes,
                threads_per_worker=max(1, processors // processes),
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                protocol="tls://",
                security=Security.temporary(),
                local_directory=str(folder),
                silence_logs=50,
                preload=["accidents.engine.local_worker"],
            )
        )
