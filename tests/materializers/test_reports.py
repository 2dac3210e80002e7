"""ReportFiles of models as artifacts: what is stored is what comes back, and each report is a page."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from zenml.enums import VisualizationType

from accidents.report.report_files import REPORT_FILE, ReportFiles
from benchmarks.materializers import local_store
from materializers.reports import ReportsMaterializer

NAMES = ("evaluation.json", "plots/roc.svg", "shap_importance.csv")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
REPORTS = st.dictionaries(
    st.sampled_from(["lightgbm", "random_forest"]),
    st.fixed_dictionaries({REPORT_FILE: TEXT}, optional=dict.fromkeys(NAMES, TEXT)),
)


def materializer(folder: str) -> ReportsMaterializer:
    return ReportsMaterializer(uri=folder, artifact_store=local_store(Path(folder)))


@given(REPORTS)
def test_reports_come_back_as_they_were_and_have_one_checksum(files: dict[str, dict[str, str]]) -> None:
    reports = ReportFiles(files)
    with tempfile.TemporaryDirectory() as folder:
        writer = materializer(folder)
        writer.save(reports)
        again = materializer(folder).load(ReportFiles)
        assert again == reports
        assert materializer(folder).compute_content_hash(again) == writer.compute_content_hash(reports)


def test_every_report_is_a_page_in_the_dashboard(tmp_path: Path) -> None:
    pages = {"xgboost": "<p>trees</p>", "lightgbm": "<p>leaves</p>"}
    reports = ReportFiles({name: {REPORT_FILE: page, "evaluation.json": "{}"} for name, page in pages.items()})
    shown = materializer(str(tmp_path)).save_visualizations(reports)
    assert {Path(path).stem: Path(path).read_text() for path in shown} == pages
    assert set(shown.values()) == {VisualizationType.HTML}
