"""Every notebook runs in a Jupyter kernel in a copy of the project, and its metrics equal those of the pipelines."""

from pathlib import Path

import nbformat
import pytest

from scripts import notebooks
from scripts.notebooks import ProjectCopy, find_problems, read_script, shorten_paths
from tests.notebooks.kernel import cells, text_output

QUICK = ("01_explore_the_data",)
"""Notebooks that `make test` runs; `make notebooks` runs all."""

SOURCE = 'SOURCE = "sample"'

TRAINED = """
from pipelines.training import training
one = configuration.training.model_copy(update={"models": ("lightgbm",)})
changed = configuration.model_copy(update={"training": one})
notebook.run_pipeline(training, configuration=changed, fingerprint=fingerprint, track=False)
pipeline_metrics = notebook.load_artifact("evaluations")["lightgbm"]
"""
CHECKS = {
    "00_quickstart": TRAINED
    + "assert all(model.metrics['test'][name] == pipeline_metrics[name] for name in ('roc_auc', 'f1', 'ece'))",
    "01_explore_the_data": """
from pipelines.ingestion import ingestion
run = notebook.run_pipeline(ingestion, configuration=configuration, fingerprint=fingerprint)
counts = run.steps["ingest"].run_metadata
for cells in (hours, roads):
    assert cells["n"].sum() == counts["accidents"] - counts["accidents_unknown_label"]
    assert round((cells["n"] * cells["share"]).sum()) == counts["accidents_priority"]
assert missing["rows"].max() == counts["usagers_out"]
""",
    "02_clean_and_validate": """
from pipelines.ingestion import ingestion
notebook.run_pipeline(ingestion, configuration=tolerant, fingerprint=notebook.fingerprint(tolerant))
assert notebook.load_artifact("quarantine").equals(aside) and len(aside) > 100
assert len(kept) == 3000 - 30
""",
    "03_features": TRAINED
    + """
assert notebook.load_artifact("features").equals(features)
assert levels["call"]["roc_auc"] == pipeline_metrics["roc_auc"] > levels["strict"]["roc_auc"]
""",
    "04_train_and_compare": """
figures = comparison.set_index("model_type").drop(columns="fit_seconds")
assert stored.drop(columns="fit_seconds").equals(figures.loc[stored.index]) and (len(stored), len(figures)) == (1, 4)
assert {str(step.status) for step in again.steps.values()} == {"cached"}
assert run.config.extra["training_digest"] == again.config.extra["training_digest"]
""",
    "05_explain_and_evaluate": TRAINED
    + """
assert evaluation.roc_auc == pipeline_metrics["roc_auc"] == curve["test"].iloc[-1]
assert evaluation.f1 == pipeline_metrics["f1"]
by_protocol = protocols.set_index("protocol")["roc_auc"]
assert by_protocol["honest"] > by_protocol["classic"] > by_protocol["random person"]
""",
    "06_register_and_deploy": """
assert abs(response[0]["probability"] - here) < 1e-9
assert list_services() == []
assert notebook.load_artifact("evaluations")["lightgbm"]["roc_auc"] > 0.8
""",
    "07_serve": TRAINED
    + """
assert answer["interpretation"] == "Priority" and refused.status_code == 422
assert abs(pd.Series([r["probability"] for r in results]) - tested["probability"].to_numpy()).max() <= 1e-9
assert model.metrics["test"]["roc_auc"] == pipeline_metrics["roc_auc"]
assert service.exited
""",
    "08_switch_stacks": """
assert len({step_output(run, "build_features", "features").content_hash for run in (here, there)}) == 1
assert {str(there.stack.name), str(here.stack.name)} == {"default", "local-mlflow"}
assert notebook.connect() == "default"
""",
    "09_monitor": """
assert sum(window["alarm"] for window in windows[:3]) <= 1 and all(window["alarm"] for window in windows[3:])
assert changed_windows["inputs_changed"] and changed_windows["label_changed"] and changed_windows["accidents"] > 1000
pipeline_auc = notebook.load_artifact("evaluations")["lightgbm"]["roc_auc"]
assert abs(changed_windows["outcomes"]["reference_roc_auc"]["value"] - pipeline_auc) < 1e-9
assert "accidents_drift_alarm 1.0" in figures and service.exited
""",
}
"""What is asserted in the kernel of each notebook after its last cell."""


def test_every_notebook_is_stored_and_checked() -> None:
    assert notebooks.names() == sorted(CHECKS)
    assert sorted(path.stem for path in notebooks.FOLDER.glob("*.ipynb")) == sorted(CHECKS)


def test_a_table_keeps_its_frame_where_an_address_is_shortened() -> None:
    project = Path("/somewhere/project")
    rows = [
        "│ store │ /somewhere/stores/87fde0c6-b82c-44da-b22e-f42312a52001 │",
        "│ MLflow │ keeps its data in /somewhere/project/mlruns           │",
        "│ two    │ /somewhere/project/a and /somewhere/project/b         │",
    ]
    shown = [shorten_paths(row, project) for row in rows]
    assert [len(row) for row in shown] == [len(row) for row in rows]
    assert [row.split() for row in shown] == [
        ["│", "store", "│", "…/stores/…", "│"],
        ["│", "MLflow", "│", "keeps", "its", "data", "in", "mlruns", "│"],
        ["│", "two", "│", "a", "and", "b", "│"],
    ]
    assert shorten_paths("at /somewhere/project/models\n", project) == "at models\n"


@pytest.mark.parametrize("name", CHECKS)
def test_stored_notebooks_are_clean_and_as_their_scripts(name: str) -> None:
    assert find_problems(name) == []


@pytest.mark.parametrize("name", CHECKS)
def test_one_variable_chooses_the_accidents(name: str) -> None:
    assert sum(cell.source.count(SOURCE) for cell in read_script(name).cells) == 1


def test_what_does_not_belong_into_a_stored_notebook_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    (tmp_path / "1_bad.py").write_text("# %%\nprint(1)\n")
    bad = cells("def f():\n    pass", "x")
    bad.cells[1].execution_count = 3
    bad.cells[1].outputs = [
        nbformat.v4.new_output("stream", text="reading /home/somebody/data.csv"),
        nbformat.v4.new_output("error", ename="E", evalue="", traceback=[]),
    ]
    (tmp_path / "1_bad.ipynb").write_text(nbformat.writes(bad))
    problems = "\n".join(find_problems("1_bad"))
    for text in ("differs", "of its own", "execution count", "stores an error", "/home/somebody"):
        assert text in problems


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in CHECKS]
)
def test_notebooks_run_and_agree_with_the_pipelines(name: str, tmp_path: Path) -> None:
    notebook = read_script(name)
    notebook.cells.append(nbformat.v4.new_code_cell(CHECKS[name] + "\nprint('agrees')"))
    done = ProjectCopy(tmp_path).run(notebook)
    assert text_output(done.cells[-1]).endswith("agrees\n")


@pytest.mark.real
@pytest.mark.long
@pytest.mark.parametrize("name", ["00_quickstart", "01_explore_the_data"])
def test_one_variable_switches_to_real_years(name: str, real_baac: Path, tmp_path: Path) -> None:
    notebook = read_script(name)
    for cell in notebook.cells:
        cell.source = cell.source.replace(SOURCE, f"SOURCE = {str(real_baac / '2024')!r}")
    notebook.cells.append(nbformat.v4.new_code_cell("print(len(accidents) > 30_000)"))
    assert text_output(ProjectCopy(tmp_path).run(notebook).cells[-1]) == "True\n"
