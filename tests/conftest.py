"""Shared fixtures: a ZenML world of the tests' own, where the real files are, and what to do without them."""

import atexit
import importlib
import os
import pkgutil
import shutil
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import nullcontext
from pathlib import Path

import pytest

from accidents import worker_process

# Before anything imports zenml: tests never see or touch the user's own configuration and stores.
_WORLD = tempfile.mkdtemp(prefix="accidents-tests-")
atexit.register(shutil.rmtree, _WORLD, ignore_errors=True)
os.environ.update(
    ZENML_CONFIG_PATH=f"{_WORLD}/config",
    ZENML_LOCAL_STORES_PATH=f"{_WORLD}/stores",
    ZENML_ANALYTICS_OPT_IN="false",
    ZENML_LOGGING_COLORS_DISABLED="true",
    GX_ANALYTICS_ENABLED="false",
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_TRACKING_URI=f"sqlite:///{_WORLD}/mlflow/mlflow.db",
)
for name in ("ZENML_ACTIVE_STACK_ID", "ZENML_CUSTOM_SOURCE_ROOT", "DAGSHUB_REPO"):
    os.environ.pop(name, None)

# Processes that tests start are not traced for coverage, which makes them slow, but for those that ask for it.
_TRACE, _KEPT = "COVERAGE_PROCESS_CONFIG", "TRACE_OF_TESTS"
if _TRACE in os.environ:
    os.environ[_KEPT] = os.environ.pop(_TRACE)

_NOT_MEASURED = {"benchmarks", "scripts", "tests"}

PROJECT = Path(__file__).resolve().parents[1]
# ZenML finds the project by the main program, and a worker of a parallel run has none.
vars(sys.modules["__main__"]).setdefault("__file__", str(PROJECT / "run.py"))
REAL = Path(os.environ.get("BAAC_FOLDER", PROJECT.parent / "shared" / "data" / "baac"))


def traced(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment whose processes count towards the coverage, where that is measured."""
    return dict(environment) | ({_TRACE: os.environ[_KEPT]} if _KEPT in os.environ else {})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Trace for coverage what needs it: fast tests, and slow ones that are marked `traced`.

    Tracing more than doubles the time of whole pipelines, most of which other tests reach as well, and of property
    tests, which go hundreds of times through the same lines.
    """
    tracing, of_threads = sys.gettrace(), threading.gettrace()
    if tracing is None or _counts(item):
        return (yield)
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        threading.settrace(of_threads)
        sys.settrace(tracing)


def pytest_collection_finish() -> None:
    """Import all modules where coverage is measured, so that none is first imported by a test that is not traced."""
    if sys.gettrace() is None:
        return
    for folder in (path.parent for path in PROJECT.glob("*/__init__.py") if path.parent.name not in _NOT_MEASURED):
        for module in pkgutil.walk_packages([str(folder)], f"{folder.name}."):
            if "migrations" not in module.name:  # which Alembic alone can import
                importlib.import_module(module.name)


def _counts(item: pytest.Item) -> bool:
    if any(item.get_closest_marker(name) for name in ("slow", "browser")):
        return item.get_closest_marker("traced") is not None
    return not getattr(getattr(item, "function", None), "is_hypothesis_test", False)


@pytest.fixture(autouse=True, scope="session")
def _one_process() -> None:
    """Commands that tests call as functions start no second process: there is nothing left to import ahead of them."""
    worker_process.worker_process = lambda *_: nullcontext()


@pytest.fixture(scope="session")
def real_baac() -> Path:
    """Folder with one folder a year of real BAAC files; the test is skipped where there is none."""
    if not (REAL / "2024").is_dir():
        pytest.skip(f"no real BAAC files at {REAL} (set BAAC_FOLDER)")
    return REAL


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return PROJECT
