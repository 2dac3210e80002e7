"""The page by which a trained model shows itself in the dashboard."""

from pathlib import Path

from benchmarks.materializers import local_store
from materializers.bundle import BundleMaterializer
from tests.trained import small_models


def test_the_page_of_a_model_reads_like_a_page_and_not_like_a_dictionary(tmp_path: Path) -> None:
    bundle = next(iter(small_models().values())).trained.bundle
    folder = tmp_path / "model"
    folder.mkdir()
    [(path, kind)] = BundleMaterializer(str(folder), local_store(tmp_path)).save_visualizations(bundle).items()
    page = Path(path).read_text()
    assert kind.value == "html"
    assert "<style>" in page
    assert "{" not in page.split("</style>")[1]
    assert f"training {bundle.rows['training']:,}" in page
    assert f">{bundle.metrics['validation']['roc_auc']:.4g}<" in page
