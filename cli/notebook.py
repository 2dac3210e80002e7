"""The project in a notebook: steps as plain functions, pipelines from a cell, artifacts by name, failures as tables.

Call `ready()` in the first cell, before anything of the project is imported. From then on

- `ingest(...)`, `train_model(...)` and every other step run as plain Python: the same types and the same validation, no
  stack, nothing stored;
- the same call inside `with tracked():` is a run of ZenML on the active stack, with its artifacts
  (frames that a cell passes on are stored anew: only pipelines find their steps in the cache);
- `run(pipeline, ...)` runs a pipeline and prints where the dashboard shows it;
- `artifact("features")` is what the latest run made under that name;
- what a user can mend is told in a paragraph, with the table of failures below it, not in forty frames of traceback.
"""

import atexit
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from accidents.configuration.paths import PROJECT_ROOT
from accidents.errors import AccidentsError, DataError, ModelError
from accidents.worker_process import worker_process
from cli.zenml_session import AHEAD, prepare, quieten, read_environment

if TYPE_CHECKING:
    import pandas as pd

    from accidents.configuration.loading import Configuration

PLAIN = "ZENML_RUN_SINGLE_STEPS_WITHOUT_STACK"
"""Variable by which ZenML decides whether a step that is called on its own is a plain function."""

_DPI = 90
_MOST_FINDINGS = 15
_AS_TYPED = "white-space: pre; overflow-x: auto; font-family: monospace"
_NOT_TOLD = (
    "IProgress not found",
    "Using an external artifact",
    "Setting the global active stack",
    'install "ipywidgets"',
)
"""Beginnings of messages that tell a reader of a notebook nothing."""


class CommandError(AccidentsError):
    """A command failed in a cell."""


def ready() -> None:
    """Make this kernel work in the folder of the project, with steps as plain Python and failures as tables."""
    os.chdir(PROJECT_ROOT)
    read_environment()
    os.environ[PLAIN] = "true"
    beside = ExitStack()
    beside.enter_context(worker_process(*AHEAD))
    atexit.register(beside.close)  # which keeps it open until then
    import zenml  # noqa: F401  # reads the environment

    quieten()
    for handler in logging.getLogger().handlers + logging.getLogger("zenml").handlers:
        handler.addFilter(_worth_a_line)
    for name in _NOT_TOLD:
        warnings.filterwarnings("ignore", message=name)
    _show_failures_and_figures()


def command(*words: str) -> None:
    """Do what `python run.py` does with these words; where that fails the notebook stops.

    Raises:
        CommandError: the command did not end with exit code 0; it has said why.
    """
    from cli.commands import main

    try:
        code = main(words)
    except SystemExit as ended:  # words that are not understood
        code = 1 if ended.code is None else int(ended.code)
    if code:
        raise CommandError(f"python run.py {' '.join(words)}: ended with exit code {code}")


def configured(source: str = "sample", **changes: Any) -> "Configuration":
    """The configuration of the project for a source of accidents.

    Args:
        source: `sample`, a folder of BAAC files, or years of data.gouv.fr such as `datagouv:2021-2023`.
        **changes: further values, with two underscores for the dot: `features__level="scene"`.
    """
    from accidents.configuration.loading import load_configuration

    chosen = {name.replace("__", "."): value for name, value in changes.items()}
    return load_configuration(overrides={"ingestion.source.location": source} | chosen)


def fingerprint(configuration: "Configuration") -> str:
    """Checksum of the files of the source, which are generated or downloaded now where they are not there yet."""
    from accidents.sources.fingerprint import fingerprint as fingerprint_of
    from accidents.sources.resolve import resolve_editions

    return fingerprint_of(resolve_editions(configuration.ingestion.source))


def is_synthetic(configuration: "Configuration") -> bool:
    """Whether the accidents are made up, which every picture of them says."""
    from accidents.sample.source_name import SAMPLE

    return configuration.ingestion.source.location == SAMPLE


@contextmanager
def tracked(stack: str | None = None) -> Iterator[None]:
    """Let every step that is called inside be a run of ZenML: stored, and in the dashboard; says where the last one is.

    Args:
        stack: the stack of this kernel from now on; the active one, if not given.
    """
    connect(stack)
    os.environ[PLAIN] = "false"
    try:
        yield
    finally:
        os.environ[PLAIN] = "true"
    from zenml.client import Client

    for done in Client().list_pipeline_runs(sort_by="desc:created", size=1).items:
        print(f"dashboard: {_address(done)}")


def run(pipeline: Any, *, stack: str | None = None, cache: bool = True, version: Any = None, **arguments: Any) -> Any:
    """Run a pipeline to its end, print how it went and where the dashboard shows it, and return the run.

    Args:
        pipeline: one of `pipelines`.
        stack: the stack of this kernel from now on; the active one, if not given.
        cache: whether results of earlier runs are used.
        version: the version of a ZenML model that the run belongs to (`cli.pipeline_commands.model_version`).
        **arguments: what the pipeline takes.

    Raises:
        DataError: the data are refused; shown as a table.
        PipelineError: a step failed; says which, and why.
    """
    from cli.runs import PipelineError, run_pipeline

    connect(stack)
    failed: list[Any] = []
    try:
        done = run_pipeline(
            pipeline, cache=cache, debug=False, on_failure=_noted(failed), version=version, advice="", **arguments
        )
    except PipelineError as error:
        report = _found_in_the_data(failed[0]) if failed else None
        raise error if report is None else DataError(str(error), report) from None
    steps = [str(step.status) for step in done.steps.values()]
    reused = f", {steps.count('cached')} of them from the cache" if "cached" in steps else ""
    print(f"{pipeline.name}: {len(steps)} steps{reused}")
    print(f"dashboard: {_address(done)}")
    return done


def artifact(name: str, version: str | None = None) -> Any:
    """What an earlier run made under this name: the latest, or the version that was asked for.

    Raises:
        ModelError: there is none; names those there are.
    """
    connect()
    from zenml.client import Client

    import materializers.bundle
    import materializers.frame
    import materializers.reports  # noqa: F401  # the three load what the project stores

    try:
        return Client().get_artifact_version(name, version).load()
    except KeyError:
        known = sorted(found.name for found in Client().list_artifacts(size=1000).items)
        asked = f"{name}, version {version}" if version else name
        raise ModelError(
            f"there is no artifact {asked}; there are: {', '.join(known) or 'none, run a pipeline'}"
        ) from None


def connect(stack: str | None = None) -> str:
    """Connect this kernel with ZenML, and return the name of the stack; whatever here needs a connection does so.

    Args:
        stack: the stack of this kernel from now on; the one that is active in ZenML stays what it is.
    """
    return prepare(stack, debug=False)


def _worth_a_line(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_NOT_TOLD)


def _address(done: Any) -> str:
    from cli.dashboard import page_of

    return page_of(done) or f"none is running; `make dashboard` shows {done.name}"


def _noted(failed: list[Any]) -> Callable[[Any], str]:
    """What `run_pipeline` calls with a run that failed: it keeps the run, and adds nothing to the message."""

    def keep(run: Any) -> str:
        failed.append(run)
        return ""

    return keep


def _found_in_the_data(run: Any) -> "pd.DataFrame | None":
    """The report that a failed run left, where it was the data that stopped it."""
    from cli.output_files import reading_step
    from steps.failure_artifacts import VALIDATION_REPORT

    step = reading_step(run)
    refused = step is not None and str(step.status) == "failed" and VALIDATION_REPORT in step.outputs
    return step.outputs[VALIDATION_REPORT][0].load() if refused else None


def _show_failures_and_figures() -> None:
    """Let IPython tell errors of the project in words and tables, and draw figures small and without pyplot."""
    from IPython.core.getipython import get_ipython

    from accidents.plots.style import to_png

    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((AccidentsError,), _show)
        drawn = shell.display_formatter.formatters["image/png"]
        drawn.for_type_by_name("matplotlib.figure", "Figure", partial(to_png, dpi=_DPI))


def _show(shell: Any, kind: type, error: AccidentsError, traceback: Any, tb_offset: Any = None) -> list[str]:  # noqa: ARG001  # the signature is IPython's
    """Display an error of the project; IPython calls it in place of a traceback and the notebook stops all the same."""
    from IPython.display import display

    report: pd.DataFrame | None = getattr(error, "report", None)
    told, _, listed = str(error).partition("\n")
    display(_Told(told, listed if report is None else "", report))
    return [f"{kind.__name__}: {error}"]


class _Told:
    """An error as IPython displays it: a sentence, and its table, as HTML or as text."""

    def __init__(self, sentence: str, listed: str, report: "pd.DataFrame | None") -> None:
        self._sentence, self._listed, self._report = sentence, listed, report

    def __repr__(self) -> str:
        table = self._listed if self._report is None else self._report.to_string(index=False)
        return f"{self._sentence}\n{table}".rstrip()

    def _repr_mimebundle_(self, **_: Any) -> Mapping[str, str]:
        from html import escape

        listed = f"<pre style='{_AS_TYPED}'>{escape(self._listed)}</pre>" if self._listed else ""
        table = "" if self._report is None else _as_page(self._report)
        page = f"<p><b>{escape(self._sentence)}</b></p>{listed}{table}"
        return {"text/plain": repr(self), "text/html": page}


def _as_page(report: "pd.DataFrame") -> str:
    """The first findings, which are the worst, and how many more there are."""
    more = len(report) - _MOST_FINDINGS
    rest = f"<p>… and {more} more</p>" if more > 0 else ""
    return report.head(_MOST_FINDINGS).to_html(index=False, border=0) + rest
