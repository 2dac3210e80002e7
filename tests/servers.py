"""The servers of `scripts.team` whose programs may be absent, and emulators of cloud stores, on free ports.

MLflow servers and PostgreSQL are in `tests.tracking.servers`. A test whose program is absent is skipped; the reason
names the package.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from scripts.team import servers, store
from scripts.team.processes import MissingProgramError, free_port, process, program

P = ParamSpec("P")
T = TypeVar("T")


def skipping(server: Callable[P, AbstractContextManager[T]]) -> Callable[P, AbstractContextManager[T]]:
    """The same server; a test that starts it is skipped where its program is absent."""

    @wraps(server)
    @contextmanager
    def started(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        with ExitStack() as stack:
            try:
                found = stack.enter_context(server(*args, **kwargs))
            except MissingProgramError as error:
                pytest.skip(str(error))
            yield found

    return started


mariadb = skipping(servers.mariadb)
s3_server = skipping(store.s3_server)


@skipping
@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """The connection string of an emulator of Azure Blob Storage."""
    command, port = [program("azurite-blob", "npm install --global azurite")], free_port()
    command += ["--blobPort", str(port), "--location", str(folder), "--skipApiVersionCheck", "--silent"]
    with process([*command, "--disableTelemetry"], folder) as running:
        running.wait_for(f"http://127.0.0.1:{port}")
        # The account and key of every Azurite, from its documentation.
        key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
        yield (
            f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};"
            f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
        )


@skipping
@contextmanager
def fake_gcs(folder: Path) -> Iterator[str]:
    """The address of an emulator of Google Cloud Storage."""
    command, port = [program("fake-gcs-server", "https://github.com/fsouza/fake-gcs-server/releases")], free_port()
    command += ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-filesystem-root", str(folder)]
    url = f"http://127.0.0.1:{port}"
    with process([*command, "-public-host", url.removeprefix("http://"), "-external-url", url], folder) as running:
        running.wait_for(f"{url}/storage/v1/b")
        yield url
