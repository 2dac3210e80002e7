"""Downloads that are killed at random moments leave nothing that looks like a file and is not one."""

import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from accidents.columns.specification import Table
from accidents.configuration.source import SourceSettings
from accidents.sources.resolve import resolve_editions
from tests.sources.site import Handler, Site

PIECES = 10


def slowly(handler: Handler, content: bytes) -> None:
    """Serve in pieces, about a tenth of a second a file, so that there is a middle in which to be killed."""
    handler.begin(200, len(content))
    step = len(content) // PIECES + 1
    for start in range(0, len(content), step):
        handler.wfile.write(content[start : start + step])
        handler.wfile.flush()
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [5, pytest.param(60, marks=pytest.mark.long)])
def test_killed_downloads_leave_no_partial_file_and_the_next_run_completes(
    kills: int, site: Site, settings: Callable[..., SourceSettings]
) -> None:
    site.publish(2023)
    for table in Table:
        site.behaviours[f"/files/{table}-2023.csv"] = [slowly]
    wanted = settings(timeout_seconds=10, deadline_seconds=60)
    # Children of the fork server start with the libraries loaded, so that a kill hits the download and not an import.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["accidents.sources.datagouv", "pooch", "requests", "tqdm"])
    random = np.random.default_rng(0)
    outcomes = {"killed": 0, "complete": 0, "with temporary files": 0}
    while outcomes["killed"] < kills:
        process = context.Process(target=resolve_editions, args=(wanted,))
        site.requests.clear()
        process.start()
        # Counted from the first request, so that a busy machine is not killed before it begins.
        while not site.requests and process.is_alive():
            time.sleep(0.002)
        process.join(random.uniform(0.0, 0.6))
        process.kill()
        process.join()
        outcomes["killed" if process.exitcode else "complete"] += 1
        for path in named_files(wanted.data_folder):
            assert path.read_bytes() == site.contents[f"/files/{path.name}"]
        for path in wanted.data_folder.rglob("catalogue.json"):
            json.loads(path.read_bytes())
        outcomes["with temporary files"] += bool(_temporary(wanted.data_folder))
        if process.exitcode == 0 or random.random() < 0.3:
            for path in named_files(wanted.data_folder):
                path.unlink()
    assert outcomes["with temporary files"] > kills / 12, f"the kills missed the downloads: {outcomes}"
    (edition,) = resolve_editions(wanted)
    for table, file in edition.files.items():
        assert Path(file).read_bytes() == site.contents[f"/files/{table}-2023.csv"]
    assert not _temporary(wanted.data_folder)


def _temporary(folder: Path) -> list[Path]:
    return [*folder.rglob("tmp*"), *folder.rglob(".*.tmp")]


def named_files(folder: Path) -> list[Path]:
    return list(folder.rglob("*.csv"))


@pytest.mark.slow
def test_second_process_waits_for_the_first(site: Site, settings: Callable[..., SourceSettings]) -> None:
    site.publish(2023)
    for table in Table:
        site.behaviours[f"/files/{table}-2023.csv"] = [slowly]
    wanted = settings(timeout_seconds=10, deadline_seconds=60)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["accidents.sources.datagouv", "pooch", "requests", "tqdm"])
    processes = [context.Process(target=resolve_editions, args=(wanted,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0]
    for table in Table:
        assert site.requests.count(f"/files/{table}-2023.csv") == 1
