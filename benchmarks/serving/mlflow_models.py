"""Models in a temporary MLflow store: the pyfunc model of this project, and a pandas chain."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.tracking import TrackingSettings
from accidents.inference.json_scoring import NESTED_COLUMN
from benchmarks.serving.load_test import request
from benchmarks.serving.workload import Workload
from tracking.connection import connect
from tracking.mlflow_model import log_model
from tracking.tracking_uri import TrackingTarget

_STORED = 50
_FRAMES = Path(__file__).with_name("pandas_pyfunc.py")


def store_models(model: Path, bundle: Bundle, workload: Workload, folder: Path) -> tuple[str, str, Mapping[str, str]]:
    """Log both models.

    Args:
        model: the file of the bundle.
        bundle: the model.
        workload: accidents.
        folder: for the store.

    Returns:
        URIs of the pyfunc model of this project and of the pandas chain, and the environment variables for
        `mlflow models serve`.
    """
    import mlflow

    stored_predictions = _stored_predictions(bundle, workload)
    signature = mlflow.models.infer_signature(stored_predictions[[NESTED_COLUMN]], stored_predictions[["probability"]])
    store = TrackingTarget(f"sqlite:///{folder}/mlflow/mlflow.db", "a benchmark", f"{folder}/mlflow/artifacts")
    with connect(TrackingSettings(), store) as connection:
        with mlflow.start_run(experiment_id=connection.experiment_id):
            own, _ = log_model(bundle, stored_predictions)
        with mlflow.start_run(experiment_id=connection.experiment_id):
            frames = mlflow.pyfunc.log_model(
                name="frames",
                python_model=str(_FRAMES),
                artifacts={"bundle": str(model)},
                signature=signature,
                input_example=stored_predictions[[NESTED_COLUMN]].head(1),
                pip_requirements=["mlflow", "pandas"],
            )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it runs `uvicorn`
    quiet = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    return own, str(frames.model_uri), {"MLFLOW_TRACKING_URI": store.uri, "PATH": path, **quiet}


def invocation_request(texts: Sequence[bytes]) -> bytes:
    """A request to `/invocations`."""
    frame = {"columns": [NESTED_COLUMN], "data": [[text.decode()] for text in texts]}
    return request("/invocations", orjson.dumps({"dataframe_split": frame}))


def _stored_predictions(bundle: Bundle, workload: Workload) -> pd.DataFrame:
    """Accidents with their expected predictions, as they are stored with a model."""
    probability = bundle.predict(workload.features[:_STORED])
    texts = [text.decode() for text in workload.texts[:_STORED]]
    return pd.DataFrame({NESTED_COLUMN: texts, "label": probability >= bundle.threshold, "probability": probability})
