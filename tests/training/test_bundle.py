"""Bundle files: what comes back, and what is refused how."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accidents import bundle as module
from accidents.bundle import FORMAT, Bundle, read_header
from accidents.errors import ModelError
from accidents.training import train
from tests.training.conftest import Frames, draw, quick


@pytest.fixture(scope="session")
def bundle(frames: Frames) -> Bundle:
    return train("logistic_regression", *frames, quick(), level="call", fingerprint="abc").bundle


@pytest.fixture
def file(bundle: Bundle, tmp_path: Path) -> Path:
    path = tmp_path / "models" / "logistic_regression_model.joblib"
    bundle.save(path)
    return path


def test_what_is_saved_comes_back(bundle: Bundle, file: Path) -> None:
    loaded = Bundle.load(file)
    features, _ = draw(300, seed=5)
    np.testing.assert_array_equal(loaded.predict(features), bundle.predict(features))
    assert loaded.metadata() == bundle.metadata()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_header_says_it_all_without_unpickling(bundle: Bundle, file: Path) -> None:
    header = read_header(file)
    assert header.items() >= json.loads(json.dumps(bundle.metadata())).items()
    assert {"model_type", "level", "columns", "threshold", "fingerprint", "versions", "format_version"} <= header.keys()
    code = f"""
import sys
from accidents.bundle import read_header
read_header({str(file)!r})
print([m for m in ('joblib', 'sklearn', 'accidents.models', 'accidents.features', 'pandas') if m in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.slow
def test_loading_and_scoring_a_matrix_needs_no_heavy_library(file: Path) -> None:
    code = f"""
import sys
import numpy as np
from accidents.bundle import Bundle
bundle = Bundle.load({str(file)!r})
bundle.probability(np.zeros((1, len(bundle.columns)), np.float32))
print([m for m in ('sklearn', 'lightgbm', 'xgboost', 'shap', 'zenml', 'mlflow') if m in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.3, 0.9, 0.9999])
def test_a_file_that_was_cut_off_is_refused(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match=r"logistic_regression_model\.joblib: (cut off|is no model bundle)"):
        Bundle.load(file)


def test_a_damaged_file_is_refused(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="checksum"):
        Bundle.load(file)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", FORMAT + b"[]", FORMAT + b"{}\n"])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.joblib"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"foreign\.joblib: "):
        Bundle.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (Bundle.load, read_header):
        with pytest.raises(ModelError, match=r"none\.joblib: cannot be read: No such file"):
            read(tmp_path / "none.joblib")


def test_another_format_version_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = module.VERSION
    monkeypatch.setattr(module, "VERSION", 99)
    for read in (Bundle.load, read_header):
        with pytest.raises(ModelError, match=f"bundle format {written}, this program reads 99; train the model again"):
            read(file)


def test_another_major_version_of_a_library_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "__version__", "9.1.0")
    with pytest.raises(ModelError, match=r"numpy \d.*, installed is 9\.1\.0"):
        Bundle.load(file)


def test_a_bundle_for_other_features_is_refused(bundle: Bundle) -> None:
    older = replace(bundle, columns=("forgotten", *bundle.columns[1:]))
    with pytest.raises(ModelError, match=r"other features \(.*forgotten.*\): train it again"):
        older.predict(draw(10)[0])


def test_a_failed_save_leaves_the_old_file(bundle: Bundle, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()

    def full(self: Path, content: bytes) -> None:
        with self.open("wb") as half:
            half.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        bundle.save(file)
    assert file.read_bytes() == before
    assert len(list(file.parent.iterdir())) == 1
