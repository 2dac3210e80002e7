"""Model files of format 3 (pickles): converted without running anything from them, refused otherwise."""

import hashlib
import io
import json
import pickle
import sys
import types
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from accidents.bundle import Bundle, read_manifest
from accidents.bundle.archive import PICKLE_FORMAT
from accidents.bundle.legacy import convert
from accidents.errors import ModelError
from accidents.models import model_types
from accidents.training import train
from tests.training.conftest import Frames, draw, quick

pytestmark = [pytest.mark.slow, pytest.mark.traced]

OLD_TYPES = ("lightgbm", "logistic_regression", "random_forest", "xgboost")
"""Format 3 had these; later types never were in it."""


def old_class(monkeypatch: pytest.MonkeyPatch, module: str, name: str, reduced: str = "") -> type:
    """A class under the name that it had in format 3, pickled by its attributes or by one argument."""
    if module not in sys.modules or not hasattr(sys.modules[module], name):
        pass
    members: dict[str, Any] = {"__module__": module, "__qualname__": name}
    if reduced:
        members["__reduce__"] = lambda self: (type(self), (getattr(self, reduced),))
        members["__init__"] = lambda self, value: setattr(self, reduced, value)
    made = type(name, (), members)
    target = types.ModuleType(module)
    setattr(target, name, made)
    known = sys.modules.get(module)
    monkeypatch.setitem(sys.modules, module, target if known is None or not hasattr(known, name) else known)
    monkeypatch.setattr(sys.modules[module], name, made)
    return made


def with_state(kind: type, state: dict[str, Any]) -> Any:
    made = kind.__new__(kind)
    vars(made).update(state)
    return made


def file_of(payload: bytes, **header: Any) -> bytes:
    facts = {"format_version": 3, "sha256": hashlib.sha256(payload).hexdigest(), "bytes": len(payload), **header}
    return PICKLE_FORMAT + json.dumps(facts).encode() + b"\n" + payload


def dumped(value: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=("zlib", 6))
    return buffer.getvalue()


def old_file(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The bundle as format 3 wrote it: the same attributes under the names of then."""
    model = bundle.model
    module = f"accidents.models.{bundle.model_type}"
    if bundle.model_type in ("lightgbm", "xgboost"):
        held = "text" if bundle.model_type == "lightgbm" else "raw"
        old_model = old_class(monkeypatch, module, "Classifier", held)(getattr(model, held))
    else:
        state = {name: value for name, value in vars(model).items() if not name.startswith("_")}
        if bundle.model_type == "logistic_regression":
            design = old_class(monkeypatch, module, "Design")
            state["design"] = with_state(design, vars(model.design))  # type: ignore[attr-defined]
            state["width"] = len(bundle.columns)
        old_model = with_state(old_class(monkeypatch, module, "Classifier"), state)
    encoder = bundle.encoder
    assert encoder is not None
    old_encoder = with_state(
        old_class(monkeypatch, "accidents.features.encoders", "GeographyEncoder"),
        {name: getattr(encoder, name) for name in ("strength", "mean", "values", "starts", "shares", "densities")}
        | {"middle": encoder.centre, "middles": encoder.centres},
    )
    old_calibration = with_state(old_class(monkeypatch, "accidents.bundle", "Calibration"), vars(bundle.calibration))
    state = vars(bundle) | {"encoder": old_encoder, "calibration": old_calibration, "model": old_model}
    return file_of(dumped(with_state(old_class(monkeypatch, "accidents.bundle", "Bundle"), state)))


@pytest.fixture(scope="session", params=OLD_TYPES)
def bundle(request: pytest.FixtureRequest, frames: Frames) -> Bundle:
    return train(request.param, *frames, quick(), level="call", fingerprint="abc").bundle


@pytest.fixture
def old(bundle: Bundle) -> Iterator[bytes]:
    with pytest.MonkeyPatch.context() as patch:
        return old_file(bundle, patch)


def test_old_types_are_types_still() -> None:
    assert {*OLD_TYPES} <= {*model_types()}


def test_a_converted_model_answers_the_same(bundle: Bundle, old: bytes) -> None:
    converted = Bundle.from_bytes(convert(old, "old.joblib"))
    features, _ = draw(200, seed=9)
    np.testing.assert_array_equal(converted.predict(features), bundle.predict(features))
    assert converted.metadata() == bundle.metadata()


def test_an_old_file_is_refused_with_the_remedy(old: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lightgbm_model.joblib"
    path.write_bytes(old)
    for read in (Bundle.load, read_manifest):
        with pytest.raises(ModelError, match=r"older format, .*python run\.py convert .*lightgbm_model\.joblib"):
            read(path)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_old_file_is_refused(old: bytes, share: float) -> None:
    with pytest.raises(ModelError, match=r"old\.joblib: cut off or damaged"):
        convert(old[: int(len(old) * share)], "old.joblib")


class Bomb:
    """Creates a file where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("kind", ["object", "in an array", "pickled in an array", "by name"])
def test_nothing_of_an_old_file_is_run(kind: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    values: dict[str, Any] = {
        "object": Bomb(marker),
        "in an array": np.array([Bomb(marker)], dtype=object),
        "pickled in an array": {"a": np.array([[Bomb(marker)] * 2] * 2, dtype=object)},
        "by name": eval,
    }
    payload = dumped(values[kind])
    with pytest.raises(ModelError, match="cannot be converted"):
        convert(file_of(payload), "old.joblib")
    assert not marker.exists()
    if kind == "object":
        pickle.loads(zlib.decompress(payload))  # noqa: S301 - it would have been seen
        assert marker.exists()


@pytest.mark.parametrize("value", [{}, [1, 2], None, np.zeros(3), "text"])
def test_a_pickle_of_something_else_is_refused(value: Any) -> None:
    with pytest.raises(ModelError, match="cannot be converted"):
        convert(file_of(dumped(value)), "old.joblib")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04", "nothing to convert"),
        (PICKLE_FORMAT + b"[]\n", "damaged in its header"),
        (file_of(b"x", format_version=2), "has format 2; only format 3"),
        (file_of(b"x", sha256="0"), "the checksum differs"),
        (file_of(b"no zlib"), "cannot be converted"),
    ],
)
def test_what_is_no_old_file_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        convert(content, "old.joblib")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(2, [("a", "f8")]),
        np.zeros(2, [("a", "O")]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, "U3"),
        np.array([1j]),
        np.zeros(2, ">f8"),
    ],
)
def test_arrays_of_anything_but_numbers_are_refused(array: Any) -> None:
    """A dtype of fields could make NumPy take bytes of the file for addresses of objects."""
    with pytest.raises(ModelError, match=r"cannot be converted: an array of"):
        convert(file_of(dumped({"array": array, "number": array[0]})), "old.joblib")
