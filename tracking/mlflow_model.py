"""A bundle logged as an MLflow pyfunc model: signature, input example, requirements, stored accidents.

The stored accidents are a sample of the test set with the probabilities that the model must reproduce.
"""

import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.paths import PROJECT_ROOT
from accidents.inference.json_scoring import FLAT_COLUMN, NESTED_COLUMN

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

BUNDLE_ARTIFACT = "bundle"
STORED_ACCIDENTS = "stored_accidents"
"""Names of the artifacts of a model."""

_SCRIPT = Path(__file__).with_name("pyfunc_model.py")
_REQUIREMENTS = ("jinja2", "joblib", "mlflow", "numba", "numpy", "pandas", "pyarrow", "pydantic", "pyyaml", "scipy")
_DISTRIBUTIONS = {"sklearn": ("scikit-learn",), "xgboost": ("xgboost-cpu", "xgboost")}
"""Distribution names by module, where the two differ."""


def log_model(bundle: Bundle, stored: pd.DataFrame) -> str:
    """Log a bundle as the model of the active MLflow run.

    Args:
        bundle: the model.
        stored: accidents of the test set: `accident` (JSON text), `label`, `probability`.

    Returns:
        The model URI `models:/m-…`.
    """
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        bundle_path = Path(folder) / f"{bundle.model_type}_model.zip"
        stored_path = Path(folder) / f"{STORED_ACCIDENTS}.json"
        bundle.save(bundle_path)
        stored_path.write_text(stored.to_json(orient="records", double_precision=15), encoding="utf-8")
        model_info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(_SCRIPT),
            artifacts={BUNDLE_ARTIFACT: str(bundle_path), STORED_ACCIDENTS: str(stored_path)},
            code_paths=[str(PROJECT_ROOT / "accidents")],
            signature=_signature(),
            input_example=stored[[NESTED_COLUMN]].head(1).reset_index(drop=True),
            pip_requirements=_requirements(bundle),
            model_type="classifier",
        )
    return str(model_info.model_uri)


def _signature() -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(
        inputs=Schema(
            [ColSpec("string", NESTED_COLUMN, required=False), ColSpec("string", FLAT_COLUMN, required=False)]
        ),
        outputs=Schema(
            [ColSpec("double", "probability"), ColSpec("long", "prediction"), ColSpec("string", "interpretation")]
        ),
    )


def _requirements(bundle: Bundle) -> list[str]:
    """Installed versions of the libraries that the loaded model imports."""
    modules = [name for name in bundle.model.LIBRARIES if name not in _REQUIREMENTS]
    return [f"{name}=={version(name)}" for name in (*_REQUIREMENTS, *map(_distribution, modules))]


def _distribution(module: str) -> str:
    for name in _DISTRIBUTIONS.get(module, (module,)):
        try:
            version(name)
        except PackageNotFoundError:
            continue
        return name
    raise PackageNotFoundError(module)
