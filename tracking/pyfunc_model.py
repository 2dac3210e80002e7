"""MLflow pyfunc model: `predict` of a bundle on accidents as JSON text.

MLflow stores this file with every model and runs it when the model is loaded. It must not import the rest of the
package `tracking`; the package `accidents` is stored with the model.
"""

from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

BUNDLE_ARTIFACT = "bundle"
"""Artifact name of the bundle file."""


class AccidentModel(PythonModel):
    """Predicts a frame with one accident a row, in the column `accident` or `accident_flat`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that is stored with the model."""
        from accidents.bundle import Bundle

        self.bundle = Bundle.load(context.artifacts[BUNDLE_ARTIFACT])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  # the signature is MLflow's
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Predict; returns `probability`, `prediction` and `interpretation` for every row."""
        from accidents.inference.json_scoring import predict_json

        return predict_json(self.bundle, model_input)


mlflow.models.set_model(AccidentModel())
