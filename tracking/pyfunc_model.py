"""MLflow pyfunc model: `predict` of a bundle on accidents as JSON text.

MLflow stores this file with every model and runs it when the model is loaded. It must not import the rest of the
package `tracking`; the package `accidents` is stored with the model as an archive, which is unpacked once into the
cache folder of the user, so that its numerical loops are compiled once.
"""

import hashlib
import io
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

BUNDLE_ARTIFACT = "bundle"
CODE_ARTIFACT = "code"
"""Artifact names of the bundle file and of the archive of the package `accidents`."""


class AccidentModel(PythonModel):
    """Predicts one accident a row: in the column `accident` or `accident_flat`, or with a column a field."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that is stored with the model, by the code that is stored with it."""
        if "accidents" not in sys.modules:
            sys.path.insert(0, str(unpack(Path(context.artifacts[CODE_ARTIFACT]))))
        from accidents.bundle import Bundle

        self.bundle = Bundle.load(context.artifacts[BUNDLE_ARTIFACT])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  # the signature is MLflow's
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Predict; returns `probability`, `prediction` and `interpretation` for every row.

        Raises:
            MlflowException: a row is refused; a server answers with its message and status 400.
        """
        from accidents.errors import RequestError
        from accidents.inference.json_scoring import predict_json

        try:
            return predict_json(self.bundle, model_input)
        except RequestError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None


def code_cache() -> Path:
    """Folder of unpacked code in the cache folder of the user.

    Raises:
        RuntimeError: the user has no home folder.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "accidents" / "code"


def unpack(archive: Path) -> Path:
    """The folder with the content of an archive of code; it is named after the SHA-256 of the archive."""
    content = archive.read_bytes()
    name = hashlib.sha256(content).hexdigest()
    try:
        parent = code_cache()
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=parent))
    except (OSError, RuntimeError):  # no home folder, or one that cannot be written
        parent = temporary = Path(tempfile.mkdtemp())
    if (parent / name).is_dir():
        temporary.rmdir()
        return parent / name
    zipfile.ZipFile(io.BytesIO(content)).extractall(temporary)
    try:
        return temporary.rename(parent / name)
    except OSError:  # another process was faster
        return parent / name if (parent / name).is_dir() else temporary


mlflow.models.set_model(AccidentModel())
