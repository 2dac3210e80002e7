"""Steps, pipelines, artifacts and failures in the cells of a real kernel."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nbclient.exceptions import CellExecutionError

from scripts.notebooks import ProjectCopy
from tests.conftest import traced
from tests.notebooks.kernel import cells, html_output, text_output

pytestmark = pytest.mark.slow

START = "from cli import notebook\nnotebook.setup()"
SMALL = """
from steps.ingestion.ingest import ingest
from steps.features.build_features import build_features
configuration = notebook.load_configuration(
    ingestion__source__sample={"accidents": 1200}
)
fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, report, quarantine, page = ingest(configuration.ingestion, fingerprint=fingerprint)
features = build_features(accidents, vehicles, people)
"""
NO_STACK = """
import os, pathlib
databases = list(pathlib.Path(os.environ["ZENML_CONFIG_PATH"]).rglob("*.db"))
print(type(features).__name__, len(features) == len(accidents), databases)
"""
BROKEN = "build_features(accidents.assign(lum=accidents['lum'] * 0 + 77), vehicles, people)"
TRACKED = """
with notebook.tracked():
    stored = build_features(accidents, vehicles, people)
print(stored.equals(features), notebook.load_artifact("features").equals(features))
"""
AFTER = "print(os.environ[notebook.STEPS_WITHOUT_STACK], notebook.load_artifact('accidents').equals(accidents))"
RUN = """
from pipelines.ingestion import ingestion
run = notebook.run_pipeline(ingestion, configuration=configuration, fingerprint=fingerprint)
again = notebook.run_pipeline(ingestion, configuration=configuration, fingerprint=fingerprint)
"""
COMMANDS = """
notebook.run_command("stack", "list")
notebook.run_command("stack", "describe", "nowhere")
"""
UNKNOWN = "notebook.run_command('stack', 'paint')"
MISSING = "notebook.load_artifact('moon')"
REFUSED = """
table = next(pathlib.Path('data').rglob("usagers*.csv"))
text = table.read_text().replace('"grav"', '"gravite"').replace(";grav;", ";gravite;")
table.write_text(text)
notebook.run_pipeline(ingestion, configuration=configuration, fingerprint=notebook.fingerprint(configuration))
"""
SAVE_COVERAGE = """
import sys
measured = "coverage" in sys.modules and sys.modules["coverage"].Coverage.current()
if measured:
    measured.save()  # a kernel may be ended before it does
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every cell above with what came of it, in a copy of the project with a ZenML world of its own."""
    sources = {
        "start": START,
        "small": SMALL,
        "no stack": NO_STACK,
        "broken": BROKEN,
        "tracked": TRACKED,
        "run": RUN,
        "after": AFTER,
        "commands": COMMANDS,
        "unknown": UNKNOWN,
        "missing": MISSING,
        "refused": REFUSED,
        "save coverage": SAVE_COVERAGE,
    }
    clone = ProjectCopy(tmp_path_factory.mktemp("clone"))
    clone.environment = traced(clone.environment)
    done = clone.run(cells(*sources.values()), allow_errors=True)
    return dict(zip(sources, done.cells, strict=True))


def test_steps_are_plain_functions_and_leave_no_trace(kernel: dict[str, Any]) -> None:
    assert text_output(kernel["no stack"]) == "DataFrame True []\n"


def test_a_broken_frame_is_a_table_and_no_traceback(kernel: dict[str, Any]) -> None:
    assert "breaks its schema" in text_output(kernel["broken"])
    assert "white-space: pre;" in html_output(kernel["broken"])
    assert "lum" in html_output(kernel["broken"])
    assert [output.output_type for output in kernel["broken"].outputs] == ["display_data"]


def test_the_switch_makes_a_run_with_artifacts(kernel: dict[str, Any]) -> None:
    assert text_output(kernel["tracked"]).endswith("True True\n")
    assert "\ndashboard: " in text_output(kernel["tracked"])


@pytest.mark.parametrize(("cell", "code"), [("commands", 2), ("unknown", 2)])
def test_a_command_that_fails_stops_the_cell_and_says_so(kernel: dict[str, Any], cell: str, code: int) -> None:
    assert f"ended with exit code {code}" in text_output(kernel[cell])
    assert not any(output.output_type == "error" for output in kernel[cell].outputs)


def test_a_pipeline_runs_and_says_where_to_look(kernel: dict[str, Any]) -> None:
    assert "ingestion: 1 steps\ndashboard: " in text_output(kernel["run"])
    assert "1 of them from the cache" in text_output(kernel["run"])


def test_steps_are_plain_again_after_the_switch_and_artifacts_load_by_name(kernel: dict[str, Any]) -> None:
    assert text_output(kernel["after"]) == "true True\n"


def test_a_missing_artifact_is_reported_with_those_there_are(kernel: dict[str, Any]) -> None:
    assert "there is no artifact moon; there are: " in text_output(kernel["missing"])
    assert "features" in text_output(kernel["missing"])


def test_data_that_a_pipeline_refuses_are_a_table(kernel: dict[str, Any]) -> None:
    assert "The data cannot be used" in text_output(kernel["refused"])
    assert "<table" in html_output(kernel["refused"])
    assert "grav" in html_output(kernel["refused"])
    assert not any(output.output_type == "error" for output in kernel["refused"].outputs)


def test_a_failure_stops_the_notebook_all_the_same(tmp_path: Path) -> None:
    failing = cells(START, "notebook.load_configuration('sample', features__level='none')", "print('never')")
    with pytest.raises(CellExecutionError):
        ProjectCopy(tmp_path).run(failing)


def test_the_environment_finds_the_project_from_any_folder(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", "import cli.notebook"], cwd=tmp_path, check=True)
