"""Model files: what comes back, what is refused and how, and that nothing in them is run."""

import io
import json
import pickle
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accidents.bundle import Bundle, read_manifest
from accidents.bundle import archive as module
from accidents.bundle.archive import FORMAT, FORMAT_VERSION, Section, read_archive, write_archive
from accidents.errors import ModelError
from accidents.training import train
from tests.training.conftest import Frames, draw, quick


@pytest.fixture(scope="session")
def bundle(frames: Frames) -> Bundle:
    return train("logistic_regression", *frames, quick(), level="call", fingerprint="abc").bundle


@pytest.fixture
def file(bundle: Bundle, tmp_path: Path) -> Path:
    path = tmp_path / "models" / "logistic_regression_model.zip"
    bundle.save(path)
    return path


def rewritten(content: bytes, change: Callable[[dict[str, Any], dict[str, Section]], None]) -> bytes:
    """A sound file whose manifest and sections were changed, checksums included."""
    manifest, sections = read_archive(content, "file")
    change(manifest, sections)
    return write_archive({name: value for name, value in manifest.items() if name != "sections"}, sections)


def test_what_is_saved_comes_back(bundle: Bundle, file: Path) -> None:
    loaded = Bundle.load(file)
    features, _ = draw(300, seed=5)
    np.testing.assert_array_equal(loaded.predict(features), bundle.predict(features))
    assert loaded.metadata() == bundle.metadata()
    assert loaded.to_bytes() == bundle.to_bytes() == file.read_bytes()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_manifest_describes_the_model(bundle: Bundle, file: Path) -> None:
    manifest = read_manifest(file)
    columns = manifest.pop("columns")
    assert [column["name"] for column in columns] == list(bundle.columns)
    assert all(len(column["digest"]) == 64 for column in columns)
    record = json.loads(json.dumps(bundle.metadata()))
    assert manifest.items() >= {name: value for name, value in record.items() if name != "columns"}.items()
    assert {"format", "format_version", "versions", "sections"} <= manifest.keys()


def test_reading_the_manifest_imports_nothing_heavy(file: Path) -> None:
    code = f"""
import sys
from accidents.bundle import read_manifest
read_manifest({str(file)!r})
print([m for m in ('joblib', 'sklearn', 'accidents.models', 'accidents.features', 'pandas') if m in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_sections_are_data_that_any_tool_opens(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        assert {*archive.namelist()} == {
            "manifest.json",
            "encoder.npz",
            "calibration.json",
            "model/design.npz",
            "model/regression.npz",
        }
        weights = np.load(io.BytesIO(archive.read("model/regression.npz")), allow_pickle=False)["weights"]
    assert weights.dtype == np.float64


@pytest.mark.slow
def test_loading_and_scoring_a_matrix_needs_no_heavy_library(file: Path) -> None:
    code = f"""
import sys
import numpy as np
from accidents.bundle import Bundle
bundle = Bundle.load({str(file)!r})
bundle.predict_proba(np.zeros((1, len(bundle.columns)), np.float32))
print([m for m in ('joblib', 'sklearn', 'lightgbm', 'xgboost', 'shap', 'zenml', 'mlflow') if m in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.3, 0.9, 0.9999])
def test_a_file_that_was_cut_off_is_refused(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    for read in (Bundle.load, read_manifest):
        with pytest.raises(ModelError, match=r"logistic_regression_model\.zip: cut off, or not a model file"):
            read(file)


def test_no_changed_byte_goes_unnoticed(bundle: Bundle) -> None:
    content = bundle.to_bytes()
    reference = bundle.predict(draw(20, seed=5)[0])
    for position in np.random.default_rng(0).integers(0, len(content), 150):
        damaged = bytearray(content)
        damaged[position] ^= 0x10
        try:
            loaded = Bundle.from_bytes(bytes(damaged))
        except ModelError:
            continue
        np.testing.assert_array_equal(loaded.predict(draw(20, seed=5)[0]), reference)  # a time or an attribute


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"{}", b"\x00" * 100])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.zip"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"foreign\.zip: "):
        Bundle.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (Bundle.load, read_manifest):
        with pytest.raises(ModelError, match=r"none\.zip: cannot be read: No such file"):
            read(tmp_path / "none.zip")


def test_the_ending_of_older_files_is_accepted(bundle: Bundle, file: Path) -> None:
    old = file.with_suffix(".joblib")
    assert Bundle.load(old).metadata() == bundle.metadata()
    assert read_manifest(old)["model_type"] == bundle.model_type
    bundle.save(old)
    assert Bundle.load(old).metadata() == bundle.metadata()


def test_another_format_version_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORMAT_VERSION", 99)
    for read in (Bundle.load, read_manifest):
        with pytest.raises(ModelError, match=f"model format {FORMAT_VERSION}, this program reads 99; update"):
            read(file)


def test_an_unknown_optional_section_is_ignored(bundle: Bundle) -> None:
    content = rewritten(bundle.to_bytes(), lambda _, sections: sections.update(drift=Section(b"x", optional=True)))
    assert Bundle.from_bytes(content).metadata() == bundle.metadata()


def test_an_unknown_needed_section_is_refused_by_name(bundle: Bundle) -> None:
    content = rewritten(bundle.to_bytes(), lambda _, sections: sections.update(thresholds=Section(b"x")))
    with pytest.raises(ModelError, match="needs a newer version of this program, which reads its thresholds"):
        Bundle.from_bytes(content)


def test_unknown_facts_in_the_manifest_are_ignored(bundle: Bundle) -> None:
    content = rewritten(bundle.to_bytes(), lambda manifest, _: manifest.update(colour="blue"))
    assert Bundle.from_bytes(content).metadata() == bundle.metadata()


class Bomb:
    """Creates a file where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def npz_of(bomb: Bomb) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.array([bomb], dtype=object), intercept=np.array(0.0), averages=np.zeros(1))
    return buffer.getvalue()


@pytest.mark.parametrize("section", ["model/regression.npz", "model/design.npz", "encoder.npz", "calibration.json"])
@pytest.mark.parametrize("kind", ["pickle", "npz"])
def test_no_section_is_unpickled(bundle: Bundle, tmp_path: Path, section: str, kind: str) -> None:
    marker = tmp_path / "ran"
    bomb = Bomb(marker)
    data = pickle.dumps(bomb) if kind == "pickle" else npz_of(bomb)
    content = rewritten(bundle.to_bytes(), lambda _, sections: sections.update({section: Section(data)}))
    with pytest.raises(ModelError, match="its sections cannot be used"):
        Bundle.from_bytes(content)
    assert not marker.exists()
    pickle.loads(pickle.dumps(bomb))  # noqa: S301 - it would have been seen
    assert marker.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_type", "../os"),
        ("model_type", "base"),
        ("model_type", 7),
        ("columns", [{"name": "hour"}]),
        ("columns", "hour"),
        ("threshold", "high"),
        ("geography", None),
        ("format", "another"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(bundle: Bundle, name: str, value: object) -> None:
    content = rewritten(bundle.to_bytes(), lambda manifest, _: manifest.update({name: value}))
    with pytest.raises(ModelError, match=r"model file: "):
        Bundle.from_bytes(content)


def test_a_model_of_other_columns_than_named_is_refused(bundle: Bundle) -> None:
    content = rewritten(bundle.to_bytes(), lambda manifest, _: manifest["columns"].pop())
    with pytest.raises(ModelError, match="columns"):
        Bundle.from_bytes(content)


def test_a_section_that_was_swapped_is_refused(bundle: Bundle) -> None:
    source = zipfile.ZipFile(io.BytesIO(bundle.to_bytes()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            other = b'{"low": 9, "high": 9, "intercept": 9}' if name == "calibration.json" else source.read(name)
            target.writestr(name, other)
    with pytest.raises(ModelError, match=r"the checksum of calibration\.json differs"):
        Bundle.from_bytes(buffer.getvalue())


def test_a_section_that_stands_twice_or_is_not_listed_is_refused(bundle: Bundle) -> None:
    for name in ("calibration.json", "more.bin"):
        buffer = io.BytesIO(bundle.to_bytes())
        with zipfile.ZipFile(buffer, "a") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of the second entry
            archive.writestr(name, b"{}")
        with pytest.raises(ModelError, match="damaged"):
            Bundle.from_bytes(buffer.getvalue())


def test_an_archive_that_unpacks_to_more_than_it_says_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = write_archive({"columns": []}, {"huge.bin": Section(bytes(5_000_000))})
    assert len(content) < 10_000
    monkeypatch.setattr(module, "_LARGEST_SECTION", 1_000_000)
    with pytest.raises(ModelError, match="larger sections than a model has"):
        read_archive(content, "file")


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


def test_the_format_is_named_in_the_file(file: Path) -> None:
    assert read_manifest(file)["format"] == FORMAT
