"""Models for people's own notebooks: as a scikit-learn estimator, or as ONNX. Nothing in the project reads these."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from accidents.atomic_write import atomic_write, write_bytes
from accidents.bundle.model_bundle import Bundle
from accidents.errors import ModelError
from accidents.models._tree_ensemble import TreeEnsemble
from accidents.models.base import SMALLEST_PROBABILITY
from accidents.models.logistic_regression import Classifier as LogisticRegression
from accidents.requests import InvalidRequestError, parse_batch
from accidents.requests.flat import FLAT_FIELDS

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_OPSET, _ML_OPSET, _IR_VERSION = 17, 3, 8


class FlatFormClassifier(ClassifierMixin, BaseEstimator):
    """A fitted scikit-learn classifier on the columns of the classic flat form, one accident a row.

    Cells that are NaN or None are missing, and so are columns that are left out.

    Args:
        content: of a model file.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._bundle = Bundle.from_bytes(content)
        self.classes_ = np.array([0, 1])
        self.feature_names_in_ = np.array(sorted(FLAT_FIELDS), dtype=object)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.content,)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: object, y: object = None) -> "FlatFormClassifier":  # noqa: ARG002  # scikit-learn's interface
        """Nothing to fit: the model was trained before it was exported."""
        return self

    def predict_proba(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Probability of classes 0 and 1, float64 (n, 2).

        Raises:
            InvalidRequestError: a row has an unknown column or a value that is not allowed.
        """
        rows = X.astype(object).where(X.notna(), None).to_dict("records")
        batch = parse_batch({name: cell for name, cell in row.items() if cell is not None} for row in rows)
        for result in batch.results:
            if isinstance(result, InvalidRequestError):
                raise result
        probability = self._bundle.predict(batch.arrays)
        return np.column_stack([1 - probability, probability])

    def predict(self, X: pd.DataFrame) -> npt.NDArray[np.int64]:
        """1 where the probability of priority reaches the threshold of the model, int64 (n)."""
        return (self.predict_proba(X)[:, 1] >= self._bundle.threshold).astype(np.int64)


def export_model(bundle: Bundle, format: str, path: Path) -> None:  # noqa: A002  # the word of the command line
    """Write a model for use outside the project.

    Args:
        bundle: the model.
        format: `joblib`, a `FlatFormClassifier`; or `onnx`, from the matrix of the model's columns (float32, NaN where
            missing) to the calibrated probability. ONNX cannot hold the computation of features and the place encoder.
        path: the file to write.

    Raises:
        ModelError: the model has no ONNX form, or the library is not installed.
    """
    if format == "onnx":
        write_bytes(path, to_onnx(bundle).SerializeToString())
        return
    import joblib

    with atomic_write(path) as temporary:
        joblib.dump(FlatFormClassifier(bundle.to_bytes()), temporary, compress=3)


def to_onnx(bundle: Bundle) -> "ModelProto":
    """The model and its calibration as an ONNX graph: `X` (n, columns) float32 to `probability` (n, 1) float64.

    Raises:
        ModelError: the model has no ONNX form, or the library is not installed.
    """
    try:
        from onnx import TensorProto, checker, helper
    except ImportError:
        raise ModelError("the library 'onnx' is not installed: pip install onnx") from None
    graph = _Graph()
    model: Any = bundle.model
    if isinstance(model, LogisticRegression):
        margin = _regression(graph, model)
    elif callable(getattr(model, "tree_ensemble", None)) and (trees := model.tree_ensemble()) is not None:
        margin = _trees(graph, trees)
        if model.SHAP_UNIT == "probability":  # an average of shares, not a sum of log-odds
            share = graph.add("Div", margin, graph.constant(float(len(trees.roots))))
            ends = graph.constant(SMALLEST_PROBABILITY), graph.constant(1 - SMALLEST_PROBABILITY)
            share = graph.add("Min", graph.add("Max", share, ends[0]), ends[1])
            margin = graph.add("Log", graph.add("Div", share, graph.add("Sub", graph.constant(1.0), share)))
    else:
        raise ModelError(f"a {bundle.model_type} model has no ONNX form; --format joblib holds every model")
    graph.nodes.append(helper.make_node("Identity", [_calibrated(graph, margin, bundle)], ["probability"]))
    made = helper.make_graph(
        graph.nodes,
        "accidents",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, len(bundle.columns)])],
        [helper.make_tensor_value_info("probability", TensorProto.DOUBLE, [None, 1])],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    proto = helper.make_model(made, opset_imports=opsets, ir_version=_IR_VERSION)
    facts = {"columns": ",".join(bundle.columns), "threshold": repr(bundle.threshold), "model_type": bundle.model_type}
    helper.set_model_props(proto, facts)
    checker.check_model(proto)
    return proto


class _Graph:
    """Nodes and constants of an ONNX graph, with generated names."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[Any] = []

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Append a node; returns the name of its output."""
        from onnx import helper

        name = f"{operation.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def constant(self, value: npt.ArrayLike) -> str:
        """Add a constant, float64 for a float; returns its name."""
        from onnx import numpy_helper

        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def double(self, name: str) -> str:
        """A tensor as float64."""
        from onnx import TensorProto

        return self.add("Cast", name, to=TensorProto.DOUBLE)


def _calibrated(graph: _Graph, margin: str, bundle: Bundle) -> str:
    """Beta calibration with the stable form of ln(1 + e^x)."""
    softplus = graph.add(
        "Add",
        graph.add("Max", margin, graph.constant(0.0)),
        graph.add(
            "Log", graph.add("Add", graph.constant(1.0), graph.add("Exp", graph.add("Neg", graph.add("Abs", margin))))
        ),
    )
    low = graph.add("Sub", margin, softplus)  # ln(q)
    terms = [
        graph.add("Mul", low, graph.constant(bundle.calibration.low)),
        graph.add("Mul", softplus, graph.constant(bundle.calibration.high)),
    ]
    odds = graph.add("Add", graph.add("Add", *terms), graph.constant(bundle.calibration.intercept))
    return graph.add("Sigmoid", odds)


def _trees(graph: _Graph, trees: TreeEnsemble) -> str:
    """Sums of leaf values. ONNX compares float32: thresholds are rounded up, which changes no comparison."""
    nodes = np.arange(len(trees.feature))
    tree = np.searchsorted(trees.roots, nodes, side="right") - 1
    inner = trees.feature >= 0
    threshold = trees.threshold.astype(np.float32)
    threshold = np.where(threshold < trees.threshold, np.nextafter(threshold, np.float32(np.inf)), threshold)
    own = nodes - trees.roots[tree]
    # Where every value goes left, only a missing one can go right.
    sides = {"left": trees.left, "right": np.where(trees.left == trees.right, trees.default, trees.right)}
    children = {side: np.where(inner, target - trees.roots[tree], 0) for side, target in sides.items()}
    return graph.double(
        graph.add(
            "TreeEnsembleRegressor",
            "X",
            domain="ai.onnx.ml",
            n_targets=1,
            aggregate_function="SUM",
            post_transform="NONE",
            base_values=[float(trees.base_score)],
            nodes_treeids=tree.tolist(),
            nodes_nodeids=own.tolist(),
            nodes_featureids=np.where(inner, trees.feature, 0).tolist(),
            nodes_modes=np.where(inner, "BRANCH_LT", "LEAF").tolist(),
            nodes_values=np.where(inner, threshold, 0).astype(float).tolist(),
            nodes_truenodeids=children["left"].tolist(),
            nodes_falsenodeids=children["right"].tolist(),
            nodes_missing_value_tracks_true=(inner & (trees.default == trees.left)).astype(int).tolist(),
            target_treeids=tree[~inner].tolist(),
            target_nodeids=own[~inner].tolist(),
            target_ids=np.zeros(int((~inner).sum()), int).tolist(),
            target_weights=trees.threshold[~inner].astype(float).tolist(),
        )
    )


def _regression(graph: _Graph, model: LogisticRegression) -> str:
    design = model.design
    complete = graph.add("Where", graph.add("IsNaN", "X"), graph.constant(design.medians), "X")

    def columns(source: str, positions: npt.NDArray[np.intp]) -> str:
        return graph.add("Gather", source, graph.constant(positions.astype(np.int64)), axis=1)

    bends = graph.add("Sub", columns(complete, design.hinged), graph.constant(design.knots))
    terms = [
        columns(complete, design.numbers),
        graph.add("Max", bends, graph.constant(np.float32(0))),
        graph.add("Cast", graph.add("Equal", columns("X", design.coded), graph.constant(design.codes)), to=1),
    ]
    product = graph.add(
        "MatMul", graph.double(graph.add("Concat", *terms, axis=1)), graph.constant(model.weights[:, None])
    )
    return graph.add("Add", product, graph.constant(model.intercept))
