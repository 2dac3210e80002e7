"""The project in a notebook: steps as plain functions, pipelines from a cell, artifacts by name, errors as tables.

Call `setup()` in the first cell, before other modules of the project are imported. From then on

- `ingest(...)`, `train_model(...)` and every other step run as plain Python functions: the same types and the same
  validation, no stack, nothing stored;
- the same call inside `with tracked():` is a ZenML run on the active stack, with its artifacts
  (data frames that a cell passes on are stored again: only pipelines reuse cached steps);
- `run_pipeline(pipeline, ...)` runs a pipeline and prints its address in the dashboard;
- `load_artifact("features")` loads the latest artifact of that name;
- an error of the project is shown as a sentence with a table of failures, without a traceback.
"""

import atexit
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from accidents.configuration.environment import load_environment
from accidents.configuration.paths import PROJECT_ROOT
from accidents.errors import AccidentsError, DataError, ModelError
from accidents.worker_process import PRELOADED_MODULES, worker_process
from cli import dashboard
from cli.zenml_session import filter_log_messages, prepare_zenml

if TYPE_CHECKING:
    import pandas as pd

    from accidents.configuration.loading import Configuration

STEPS_WITHOUT_STACK = "ZENML_RUN_SINGLE_STEPS_WITHOUT_STACK"
"""Environment variable of ZenML: whether a step that is called outside a pipeline is a plain function."""

_DPI = 90
_MAX_ROWS = 15
_PREFORMATTED = "white-space: pre; overflow-x: auto; font-family: monospace"
_HIDDEN_MESSAGES = (
    "IProgress not found",
    "Using an external artifact",
    "Setting the global active stack",
    'install "ipywidgets"',
)
"""Beginnings of messages that do not help a reader of a notebook."""


class CommandError(AccidentsError):
    """A command failed in a cell."""


def setup() -> None:
    """Set this kernel up: project folder, environment, steps as plain functions, errors as tables."""
    os.chdir(PROJECT_ROOT)
    load_environment()
    os.environ[STEPS_WITHOUT_STACK] = "true"
    background = ExitStack()
    background.enter_context(worker_process(*PRELOADED_MODULES))
    atexit.register(background.close)  # keeps it open until then
    import zenml  # noqa: F401  # reads the environment

    filter_log_messages()
    for handler in logging.getLogger().handlers + logging.getLogger("zenml").handlers:
        handler.addFilter(_is_shown)
    for name in _HIDDEN_MESSAGES:
        warnings.filterwarnings("ignore", message=name)
    _register_formatters()


ready = setup
"""The name of `setup` in version 0.1."""


def run_command(*arguments: str) -> None:
    """Run `python run.py` with these arguments; an error stops the notebook.

    Raises:
        CommandError: the exit code is not 0; the command has printed the reason.
    """
    from cli.main import main

    code = main(arguments)
    if code:
        raise CommandError(f"python run.py {' '.join(arguments)}: ended with exit code {code}")


def load_configuration(source: str = "sample", **overrides: Any) -> "Configuration":
    """The configuration of the project for a source of accidents.

    Args:
        source: `sample`, a folder of BAAC files, or years of data.gouv.fr such as `datagouv:2021-2023`.
        **overrides: values of other keys, with two underscores for the dot: `features__level="scene"`.
    """
    from accidents.configuration.loading import load_configuration

    values = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_configuration(overrides={"ingestion.source.location": source} | values)


def fingerprint(configuration: "Configuration") -> str:
    """SHA-256 of the files of the source, which are generated or downloaded first if necessary."""
    from accidents.sources.edition import fingerprint as fingerprint_of
    from accidents.sources.resolve import resolve_editions

    return fingerprint_of(resolve_editions(configuration.ingestion.source))


def is_synthetic(configuration: "Configuration") -> bool:
    """Whether the source is the synthetic sample; captions of plots say so."""
    from accidents.configuration.source import SAMPLE

    return configuration.ingestion.source.location == SAMPLE


@contextmanager
def tracked(stack: str | None = None) -> Iterator[None]:
    """Run every step that is called inside as a ZenML run, and print the address of the last run in the dashboard.

    Args:
        stack: the stack of this kernel from now on; the active one where None.
    """
    connect(stack)
    os.environ[STEPS_WITHOUT_STACK] = "false"
    try:
        yield
    finally:
        os.environ[STEPS_WITHOUT_STACK] = "true"
    from zenml.client import Client

    for run in Client().list_pipeline_runs(sort_by="desc:created", size=1).items:
        print(f"dashboard: {_address(run)}")


def run_pipeline(pipeline: Any, *, stack: str | None = None, cache: bool = True, **arguments: Any) -> Any:
    """Run a pipeline to its end, print its number of steps and its address in the dashboard, and return the run.

    Args:
        pipeline: one of `pipelines`.
        stack: the stack of this kernel from now on; the active one where None.
        cache: use cached results of earlier runs.
        **arguments: arguments of the pipeline.

    Raises:
        DataError: the data are refused; shown as a table.
        PipelineError: a step failed; has the step and the reason.
    """
    from cli import runs

    connect(stack)
    failed: list[Any] = []

    def keep(run: Any) -> str:
        failed.append(run)
        return ""

    try:
        run = runs.run_pipeline(pipeline, cache=cache, debug=False, on_failure=keep, hint="", **arguments)
    except runs.PipelineError as error:
        report = _validation_report(failed[0]) if failed else None
        raise error if report is None else DataError(str(error), report) from None
    steps = [str(step.status) for step in run.steps.values()]
    reused = f", {steps.count('cached')} of them from the cache" if "cached" in steps else ""
    print(f"{pipeline.name}: {len(steps)} steps{reused}")
    print(f"dashboard: {_address(run)}")
    return run


def load_artifact(name: str, version: str | None = None) -> Any:
    """Load an artifact of an earlier run: the latest of that name, or a version of it.

    Raises:
        ModelError: there is no such artifact; lists those there are.
    """
    connect()
    from zenml.client import Client

    import materializers.bundle
    import materializers.frame
    import materializers.reports  # noqa: F401  # they load the artifacts of the project

    try:
        return Client().get_artifact_version(name, version).load()
    except KeyError:
        names = sorted(artifact.name for artifact in Client().list_artifacts(size=1000).items)
        wanted = f"{name}, version {version}" if version else name
        raise ModelError(
            f"there is no artifact {wanted}; there are: {', '.join(names) or 'none, run a pipeline'}"
        ) from None


def connect(stack: str | None = None) -> str:
    """Connect this kernel with ZenML, and return the name of the stack; the other functions connect when needed.

    Args:
        stack: the stack of this kernel from now on; the active stack of ZenML does not change.
    """
    return prepare_zenml(stack, debug=False)


def _is_shown(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_HIDDEN_MESSAGES)


def _address(run: Any) -> str:
    return dashboard.run_url(run) or f"none is running; `make dashboard` shows {run.name}"


def _validation_report(run: Any) -> "pd.DataFrame | None":
    """The validation report of a failed run, if the data were refused."""
    from cli.output_files import data_step
    from steps.validation import VALIDATION_REPORT

    step = data_step(run)
    refused = step is not None and str(step.status) == "failed" and VALIDATION_REPORT in step.outputs
    return step.outputs[VALIDATION_REPORT][0].load() if refused else None


def _register_formatters() -> None:
    """Let IPython show errors of the project as tables, and figures small and without pyplot."""
    from IPython.core.getipython import get_ipython

    from accidents.plots.style import to_png

    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((AccidentsError,), _display_error)
        formatter = shell.display_formatter.formatters["image/png"]
        formatter.for_type_by_name("matplotlib.figure", "Figure", partial(to_png, dpi=_DPI))


def _display_error(shell: Any, kind: type, error: AccidentsError, traceback: Any, tb_offset: Any = None) -> list[str]:  # noqa: ARG001  # the signature is IPython's
    """Display an error with its table in place of its traceback; IPython stops the notebook all the same."""
    from IPython.display import display

    report: pd.DataFrame | None = getattr(error, "report", None)
    summary, _, details = str(error).partition("\n")
    if report is not None:
        text, table = report.to_string(index=False), _to_html(report)
    else:
        text, table = details, f"<pre style='{_PREFORMATTED}'>{escape(details)}</pre>" if details else ""
    html = f"<p><b>{escape(summary)}</b></p>{table}"
    display({"text/plain": f"{summary}\n{text}".rstrip(), "text/html": html}, raw=True)
    return [f"{kind.__name__}: {error}"]


def _to_html(report: "pd.DataFrame") -> str:
    """The first rows, which are the worst findings, and the number of further ones."""
    more = len(report) - _MAX_ROWS
    rest = f"<p>… and {more} more</p>" if more > 0 else ""
    return report.head(_MAX_ROWS).to_html(index=False, border=0) + rest
