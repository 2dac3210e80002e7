"""Conversion of model files of format 3, which held a pickle, into files of data.

The pickle is read by an unpickler that makes nothing but plain containers and arrays of numbers: a name that is not
one of those below, or an array of objects, ends the conversion, so that no code from the file is run. Columns get the
digests of their definitions as of format 3: a converted model is refused where a definition has changed since.
"""

import hashlib
import io
import json
import pickle
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from accidents.bundle.archive import PICKLE_FORMAT, is_pickle
from accidents.bundle.calibration import Calibration
from accidents.bundle.manifest import ModelManifest
from accidents.bundle.model_bundle import Bundle
from accidents.errors import ModelError
from accidents.models import model_class

_VERSION = 3
_LONGEST_HEADER = 1_000_000
_LARGEST = 500_000_000
_WRAPPER_ATTRIBUTES = frozenset({"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"})
_DIGESTS = Path(__file__).with_name("format3_digests.json")
_CELLS = ("cell_department", "cell_commune", "cell_road", "cell_area", "cell_spot")
_CONTAINERS = frozenset(
    {
        ("accidents.bundle", "Bundle"),
        ("accidents.bundle", "Calibration"),
        ("accidents.features.encoders", "GeographyEncoder"),
        ("accidents.models.lightgbm", "Classifier"),
        ("accidents.models.xgboost", "Classifier"),
        ("accidents.models.random_forest", "Classifier"),
        ("accidents.models.logistic_regression", "Classifier"),
        ("accidents.models.logistic_regression", "Design"),
    }
)


class _Container:
    """State of an object of format 3; its arguments where it was pickled with some."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments


class _Marker:
    """Stands for a class that is named and never made."""


class _Dtype:
    """A dtype of numbers by its name; what a pickle says about its fields, flags and metadata is ignored."""

    def __init__(self, name: str, *_: Any) -> None:
        if not (isinstance(name, str) and re.fullmatch("[iuf][1248]|b1", name)):
            raise pickle.UnpicklingError(f"an array of {name!r}")
        self.made = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or state[1] not in ("<", "|"):
            raise pickle.UnpicklingError("an array of another byte order")


def _scalar(dtype: _Dtype, content: bytes) -> Any:
    if not isinstance(dtype, _Dtype) or len(content) != dtype.made.itemsize:
        raise pickle.UnpicklingError("a number of another size")
    return np.frombuffer(content, dtype.made)[0]


def convert(content: bytes, name: str) -> bytes:
    """The content of a model file of today for that of a file of format 3.

    Args:
        content: of the older file.
        name: of the file, for messages.

    Raises:
        ModelError: the content is no model of format 3, is damaged, or holds what a model does not.
    """
    state = _unpickled(_payload(content, name), name)
    try:
        record = {one.name: state[one.name] for one in fields(ModelManifest) if one.name in state}
        calibration = vars(state["calibration"])
        encoder = None if state["encoder"] is None else _encoder(vars(state["encoder"]))
        model = _classifier(record["model_type"], state["model"])
        terms = Calibration(*(calibration[one] for one in ("low", "high", "intercept")))
        bundle = Bundle(**record, encoder=encoder, model=model, calibration=terms)
        return bundle.to_bytes(json.loads(_DIGESTS.read_text(encoding="utf-8")))
    except Exception as error:  # state of a foreign pickle fits nowhere in any way
        raise ModelError(f"{name}: cannot be converted ({type(error).__name__}: {error}); train it again") from None


def _payload(content: bytes, name: str) -> bytes:
    if not is_pickle(content):
        raise ModelError(f"{name}: is no model file of an older format; there is nothing to convert")
    file = io.BytesIO(content[len(PICKLE_FORMAT) :])
    try:
        header = json.loads(file.readline(_LONGEST_HEADER))
        version, digest = header["format_version"], header["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelError(f"{name}: cut off or damaged in its header; copy or train it again") from None
    if version != _VERSION:
        raise ModelError(
            f"{name}: has format {version}; only format {_VERSION} can be converted: train the model again"
        )
    payload = file.read()
    if hashlib.sha256(payload).hexdigest() != digest:
        raise ModelError(f"{name}: cut off or damaged: the checksum differs; copy or train it again")
    return payload


def _unpickled(payload: bytes, name: str) -> dict[str, Any]:
    import zlib

    from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

    class NumericArray(NumpyArrayWrapper):
        """An array that joblib reads from the file; its dtype is one of `_dtype`, made anew."""

        def read_array(self, *arguments: Any) -> Any:
            dtype = vars(self).get("dtype")
            if {*vars(self)} - _WRAPPER_ATTRIBUTES or not isinstance(dtype, _Dtype):
                raise pickle.UnpicklingError("an array of objects")
            self.dtype = dtype.made
            self.subclass, self.allow_mmap = np.ndarray, False
            return super().read_array(*arguments)

    class DataUnpickler(NumpyUnpickler):
        """Unpickler restricted to stand-ins for the classes of a model: neither code nor NumPy objects are restored."""

        def find_class(self, module: str, qualified: str) -> Any:
            if (module, qualified) in _CONTAINERS:
                return _Container
            stand_ins = {
                ("joblib.numpy_pickle", "NumpyArrayWrapper"): NumericArray,
                ("numpy", "dtype"): _Dtype,
                ("numpy", "ndarray"): _Marker,
                ("numpy._core.multiarray", "scalar"): _scalar,
            }
            if (module, qualified) in stand_ins:
                return stand_ins[module, qualified]
            raise pickle.UnpicklingError(f"{module}.{qualified} is not part of a model")

    try:
        file = io.BytesIO(zlib.decompressobj().decompress(payload, _LARGEST))
        return vars(DataUnpickler("", file, ensure_native_byte_order=True).load())
    except Exception as error:  # a broken pickle raises anything
        raise ModelError(f"{name}: cannot be converted: {error}; train it again") from None


def _encoder(state: dict[str, Any]) -> Any:
    from accidents.features.place_encoder import PlaceEncoder

    arrays = {"strength": np.asarray(state["strength"]), "mean": np.asarray(state["mean"]), "centre": state["middle"]}
    for kind, cell in enumerate(_CELLS):
        rows = slice(state["starts"][kind], state["starts"][kind + 1])
        arrays |= {f"{cell}.{name}": state[name][rows] for name in ("values", "shares", "densities")}
        if kind in state["middles"]:
            arrays[f"{cell}.centres"] = state["middles"][kind]
    return PlaceEncoder.from_arrays(arrays)


def _classifier(model_type: str, state: _Container) -> Any:
    """A model of one of the four types that format 3 had."""
    kind: Any = model_class(model_type)
    if model_type == "lightgbm":
        return kind.from_sections({"booster.txt": state.arguments[0].encode()})
    if model_type == "xgboost":
        import xgboost

        booster = xgboost.Booster(model_file=bytearray(state.arguments[0]))
        return kind.from_sections({"booster.json": bytes(booster.save_raw("json"))})
    values = _attributes(state)
    if model_type == "random_forest":
        return kind(**values)
    from accidents.models.logistic_regression import Design

    design = Design(**_attributes(values["design"]))
    return kind(design, values["weights"], float(values["intercept"]), values["averages"])


def _attributes(state: _Container) -> dict[str, Any]:
    return {name: value for name, value in vars(state).items() if name != "arguments"}
