"""The pandas chain of `pandas_app` as an MLflow pyfunc model. MLflow runs this file; do not import it."""

import json
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from accidents.inference.json_scoring import NESTED_COLUMN
from benchmarks.serving.pandas_app import predict_contents


class FramesModel(PythonModel):
    """Answers a frame of accidents as JSON texts, a row each."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that was stored with the model."""
        from accidents.bundle import Bundle

        self.bundle = Bundle.load(context.artifacts["bundle"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  # the signature is MLflow's
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Probabilities."""
        contents = [json.loads(text) for text in model_input[NESTED_COLUMN]]
        return pd.DataFrame({"probability": predict_contents(self.bundle, contents)})


mlflow.models.set_model(FramesModel())
