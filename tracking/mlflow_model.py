"""A bundle as an MLflow model: signature, example, requirements, and the accidents that it must answer alike."""

import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.paths import PROJECT_ROOT
from accidents.inference.json_scoring import FLAT, NESTED

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

BUNDLE_ARTIFACT = "bundle"
STORED_ACCIDENTS = "stored_accidents"
"""Names of the files that are stored with a model."""

_SCRIPT = Path(__file__).with_name("pyfunc_model.py")
_NEEDED = ("jinja2", "joblib", "mlflow", "numba", "numpy", "pandas", "pyarrow", "pydantic", "pyyaml", "scipy")
_OF_LIBRARY = {"sklearn": ("scikit-learn",), "xgboost": ("xgboost-cpu", "xgboost")}
"""Distributions by module, where their names differ."""


def log_model(bundle: Bundle, stored: pd.DataFrame) -> str:
    """Store a bundle as the model of the active MLflow run, and return its address `models:/m-…`.

    Args:
        bundle: the model.
        stored: `accident` (JSON text), `label` and `probability` of some accidents.
    """
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        bundle_path = Path(folder) / f"{bundle.model_type}_model.joblib"
        stored_path = Path(folder) / f"{STORED_ACCIDENTS}.json"
        bundle.save(bundle_path)
        stored_path.write_text(stored.to_json(orient="records", double_precision=15), encoding="utf-8")
        found = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(_SCRIPT),
            artifacts={BUNDLE_ARTIFACT: str(bundle_path), STORED_ACCIDENTS: str(stored_path)},
            code_paths=[str(PROJECT_ROOT / "accidents")],
            signature=_signature(),
            input_example=stored[[NESTED]].head(1).reset_index(drop=True),
            pip_requirements=_requirements(bundle),
            model_type="classifier",
        )
    return str(found.model_uri)


def _signature() -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(
        inputs=Schema([ColSpec("string", NESTED, required=False), ColSpec("string", FLAT, required=False)]),
        outputs=Schema(
            [ColSpec("double", "probability"), ColSpec("long", "prediction"), ColSpec("string", "interpretation")]
        ),
    )


def _requirements(bundle: Bundle) -> list[str]:
    """What is installed here of the libraries that a loaded model imports."""
    modules = [name for name in bundle.model.LIBRARIES if name not in _NEEDED]
    return [f"{name}=={version(name)}" for name in (*_NEEDED, *map(_distribution, modules))]


def _distribution(module: str) -> str:
    for name in _OF_LIBRARY.get(module, (module,)):
        try:
            version(name)
        except PackageNotFoundError:
            continue
        return name
    raise PackageNotFoundError(module)
