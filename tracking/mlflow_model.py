"""A bundle logged as an MLflow pyfunc model: signature, input example, requirements, code, stored accidents.

The stored accidents are a sample of the test set with the probabilities that the model must reproduce. The code is one
archive of the package `accidents`, equal for all models of one state of the code.
"""

import io
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.paths import PROJECT_ROOT
from accidents.inference.json_scoring import FIELD_KINDS, FLAT_COLUMN, NESTED_COLUMN
from accidents.temporary_files import temporary_folder
from tracking.model_files import TWIN_FILE, digests

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

BUNDLE_ARTIFACT = "bundle"
CODE_ARTIFACT = "code"
STORED_ACCIDENTS = "stored_accidents"
TWIN_ARTIFACT = "evaluated_twin"
"""Names of the artifacts of a model."""

_GENERATED = {".pyc", ".nbc", ".nbi"}
_NOT_NEEDED = {PROJECT_ROOT / "accidents" / name for name in ("sample", "geography/outlines")}
"""The generator of synthetic accidents, half of the size of the package, and outlines, which only requests need."""

_SCRIPT = Path(__file__).with_name("pyfunc_model.py")
_REQUIREMENTS = ("jinja2", "joblib", "mlflow", "numba", "numpy", "pandas", "pyarrow", "pydantic", "pyyaml", "scipy")
_DISTRIBUTIONS = {"sklearn": ("scikit-learn",), "xgboost": ("xgboost-cpu", "xgboost")}
"""Distribution names by module, where the two differ."""


def log_model(
    bundle: Bundle, stored: pd.DataFrame, twin: Bundle | None = None, code: bytes | None = None
) -> tuple[str, dict[str, str]]:
    """Log a bundle as the model of the active MLflow run.

    Args:
        bundle: the model.
        stored: accidents of the test set: `accident` (JSON text), `label`, `probability`.
        twin: the evaluated twin of a final model, which is logged beside it.
        code: of `archive_code`, where several models are logged.

    Returns:
        The model URI `models:/m-…`, and the digests of the logged files (`tracking.model_files`).
    """
    import mlflow

    with temporary_folder() as folder:
        bundle_path = folder / f"{bundle.model_type}_model.zip"
        stored_path = folder / f"{STORED_ACCIDENTS}.json"
        code_path = folder / "accidents.zip"
        bundle.save(bundle_path)
        code_path.write_bytes(code or archive_code())
        artifacts = {BUNDLE_ARTIFACT: bundle_path, CODE_ARTIFACT: code_path, STORED_ACCIDENTS: stored_path}
        if twin:
            artifacts[TWIN_ARTIFACT] = folder / TWIN_FILE
            twin.save(artifacts[TWIN_ARTIFACT])
        stored_path.write_text(stored.to_json(orient="records", double_precision=15), encoding="utf-8")
        model_info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(_SCRIPT),
            artifacts={name: str(path) for name, path in artifacts.items()},
            signature=_signature(),
            input_example=stored[[NESTED_COLUMN]].head(1).reset_index(drop=True),
            pip_requirements=_requirements(bundle),
            model_type="classifier",
        )
        uri = str(model_info.model_uri)
        logged = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder / "logged"))
        return uri, digests(uri, Path(logged))


def archive_code() -> bytes:
    """The package `accidents` as a ZIP archive; equal code makes an equal archive."""
    package = PROJECT_ROOT / "accidents"
    files = [file for file in sorted(package.rglob("*")) if file.is_file() and file.suffix not in _GENERATED]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            if _NOT_NEEDED.isdisjoint(file.parents):
                entry = zipfile.ZipInfo(file.relative_to(PROJECT_ROOT).as_posix())  # dated 1980, whatever the file is
                archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _signature() -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    # MLflow's integers know no missing value, and it would cut 2.7 to 2: whole numbers are checked by the model.
    types: dict[str, Any] = {"number": "double", "text": "string", "text or number": AnyType()}
    fields = [ColSpec(types[kind], name, required=False) for name, kind in FIELD_KINDS.items()]
    return ModelSignature(
        inputs=Schema([*(ColSpec("string", name, required=False) for name in (NESTED_COLUMN, FLAT_COLUMN)), *fields]),
        outputs=Schema(
            [ColSpec("double", "probability"), ColSpec("long", "prediction"), ColSpec("string", "interpretation")]
        ),
    )


def _requirements(bundle: Bundle) -> list[str]:
    """Installed versions of the libraries that the loaded model imports."""
    modules = [name for name in bundle.libraries if name not in _REQUIREMENTS]
    return [f"{name}=={version(name)}" for name in (*_REQUIREMENTS, *map(_distribution, modules))]


def _distribution(module: str) -> str:
    for name in _DISTRIBUTIONS.get(module, (module,)):
        try:
            version(name)
        except PackageNotFoundError:
            continue
        return name
    raise PackageNotFoundError(module)
