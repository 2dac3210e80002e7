"""The model as MLflow loads it: a bundle behind `predict`, fed with accidents as JSON text.

MLflow stores this file with every model and runs it when the model is loaded, so it must not import the rest of the
package; what it needs of `accidents` is stored beside it.
"""

from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

BUNDLE = "bundle"
"""Name of the artifact that holds the bundle file."""


class AccidentModel(PythonModel):
    """Answers a frame of accidents, a row each, in the column `accident` or `accident_flat`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that was stored with the model."""
        from accidents.bundle import Bundle

        self.bundle = Bundle.load(context.artifacts[BUNDLE])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  # the signature is MLflow's
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Probability, prediction and its interpretation, a row for each of the input."""
        from accidents.inference.json_scoring import predict_texts

        return predict_texts(self.bundle, model_input)


mlflow.models.set_model(AccidentModel())
