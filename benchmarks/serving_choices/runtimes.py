"""Ways to have a booster answer: its library, this project's own form, and compiled ones, each with its exactness."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from accidents.bundle import Bundle
from accidents.inference.smoke_test import TOLERANCE
from benchmarks.serving_choices.timing import microseconds

Rows = npt.NDArray[np.float32]
Margin = Callable[[Rows], Any]
"""Log-odds of rows."""

MANY = 1000


@dataclass(frozen=True)
class Runtime:
    """One way: seconds to load, microseconds of one row and of `MANY`, and the greatest difference of a probability.

    `out` says why it cannot be taken, if so.
    """

    name: str
    load: float | None
    one: float | None
    many: float | None
    difference: float | None
    out: str = ""


def runtimes(bundle: Bundle, rows: Rows) -> list[Runtime]:
    """Try every way for a LightGBM or XGBoost model."""
    expected = bundle.predict_proba(rows)
    makers: dict[str, Callable[[Any], Margin]] = {
        "library on NumPy": _library,
        "as served": lambda model: model.predict_margin,
        "treelite GTIL": _treelite,
        "ONNX Runtime": partial(_onnx, columns=rows.shape[1]),
    }
    loaded: dict[str, tuple[float, Margin]] = {}
    refused: list[Runtime] = []
    for name, make in makers.items():
        start = time.perf_counter()
        try:
            margin = make(bundle.model)
            margin(rows[:1])
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            refused.append(Runtime(name, None, None, None, None, reason))
        else:
            loaded[name] = time.perf_counter() - start, margin
    one = microseconds({name: partial(margin, rows[:1]) for name, (_, margin) in loaded.items()}, 1000)
    many = microseconds({name: partial(margin, rows[:MANY]) for name, (_, margin) in loaded.items()}, 20)
    results = []
    for name, (load, margin) in loaded.items():
        answered = bundle.calibration(np.asarray(margin(rows), np.float64).reshape(-1))
        difference = float(np.abs(answered - expected).max())
        out = "" if difference <= TOLERANCE else "another probability"
        results.append(Runtime(name, load, one[name], many[name], difference, out))
    return results + refused


def _is_lightgbm(model: Any) -> bool:
    return type(model).__module__.endswith("lightgbm")


def _library(model: Any) -> Margin:
    if _is_lightgbm(model):
        return lambda X: model.booster.predict(X, raw_score=True, num_threads=1)
    return lambda X: model.booster.inplace_predict(X, predict_type="margin", validate_features=False)


def _treelite(model: Any) -> Margin:
    import treelite

    read = treelite.frontend.from_lightgbm if _is_lightgbm(model) else treelite.frontend.from_xgboost
    forest, dtype = read(model.booster), "f8" if _is_lightgbm(model) else "f4"  # the one that it asks for
    return lambda X: treelite.gtil.predict(forest, X.astype(dtype, copy=False), nthread=1, pred_margin=True)


def _onnx(model: Any, columns: int) -> Margin:
    import onnxmltools  # type: ignore[import-untyped]
    import onnxruntime  # type: ignore[import-untyped]
    from onnxmltools.convert.common.data_types import FloatTensorType  # type: ignore[import-untyped]

    inputs = [("X", FloatTensorType([None, columns]))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if _is_lightgbm(model):
            graph = onnxmltools.convert_lightgbm(model.booster, initial_types=inputs, zipmap=False)
        else:
            graph = onnxmltools.convert_xgboost(model.booster, initial_types=inputs)
    for node in graph.graph.node:
        for attribute in node.attribute:
            if attribute.name == "post_transform":
                attribute.s = b"NONE"  # log-odds
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    output = session.get_outputs()[1].name
    return lambda X: session.run([output], {"X": X})[0][:, 1]
