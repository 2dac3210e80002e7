"""Model bundles as artifacts: the file that people load, and a sentence where the artifact is older than that file."""

from pathlib import Path

import pytest

from accidents.bundle import Bundle
from accidents.errors import ModelError
from benchmarks.materializers import local_store
from materializers.bundle import BUNDLE_FILE, BundleMaterializer
from tests.trained import small_models


def materializer(folder: Path) -> BundleMaterializer:
    return BundleMaterializer(uri=str(folder), artifact_store=local_store(folder))


def test_the_artifact_is_the_file_that_people_load(tmp_path: Path) -> None:
    bundle = small_models()["lightgbm"].trained.bundle
    writer = materializer(tmp_path)
    writer.save(bundle)
    assert (tmp_path / BUNDLE_FILE).read_bytes() == bundle.to_bytes()
    assert Bundle.load(tmp_path / BUNDLE_FILE).metadata() == bundle.metadata()
    loaded = materializer(tmp_path).load(Bundle)
    assert materializer(tmp_path).compute_content_hash(loaded) == writer.compute_content_hash(bundle)


def test_an_artifact_of_an_older_format_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(b"older")
    with pytest.raises(ModelError, match=r"no model file of today's format; train the model again, or convert"):
        materializer(tmp_path).load(Bundle)


def test_the_page_of_a_model_is_readable_html(tmp_path: Path) -> None:
    bundle = next(iter(small_models().values())).trained.bundle
    [(path, kind)] = materializer(tmp_path).save_visualizations(bundle).items()
    page = Path(path).read_text()
    assert kind.value == "html"
    assert "<style>" in page
    assert "{" not in page.split("</style>")[1]
    assert f"training {bundle.rows['training']:,}" in page
    assert f">{bundle.metrics['validation']['roc_auc']:.4g}<" in page
