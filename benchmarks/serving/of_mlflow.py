"""Models in a store of MLflow that is made for them: the bundle as this project stores it, and as a chain of frames."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.tracking import TrackingSettings
from accidents.inference.json_scoring import NESTED
from benchmarks.serving.load import request
from benchmarks.serving.subject import Subject
from tracking.connection import connect
from tracking.mlflow_model import log_model
from tracking.tracking_uri import TrackingTarget

_STORED = 50
_FRAMES = Path(__file__).with_name("frames_model.py")


def stored(model: Path, bundle: Bundle, subject: Subject, folder: Path) -> tuple[str, str, Mapping[str, str]]:
    """Store the model in both ways.

    Args:
        model: the file of the bundle.
        bundle: the model.
        subject: accidents.
        folder: for the store.

    Returns:
        The addresses of the model as this project stores it and as a chain of frames, and the environment in which
        `mlflow models serve` finds them.
    """
    import mlflow

    known = _known(bundle, subject)
    signature = mlflow.models.infer_signature(known[[NESTED]], known[["probability"]])
    store = TrackingTarget(f"sqlite:///{folder}/mlflow/mlflow.db", "a benchmark", f"{folder}/mlflow/artifacts")
    with connect(TrackingSettings(), store) as connection:
        with mlflow.start_run(experiment_id=connection.experiment_id):
            own = log_model(bundle, known)
        with mlflow.start_run(experiment_id=connection.experiment_id):
            frames = mlflow.pyfunc.log_model(
                name="frames",
                python_model=str(_FRAMES),
                artifacts={"bundle": str(model)},
                signature=signature,
                input_example=known[[NESTED]].head(1),
                pip_requirements=["mlflow", "pandas"],
            )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it runs `uvicorn`
    quiet = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    return own, str(frames.model_uri), {"MLFLOW_TRACKING_URI": store.uri, "PATH": path, **quiet}


def asked(texts: Sequence[bytes]) -> bytes:
    """A request for accidents."""
    frame = {"columns": [NESTED], "data": [[text.decode()] for text in texts]}
    return request("/invocations", orjson.dumps({"dataframe_split": frame}))


def _known(bundle: Bundle, subject: Subject) -> pd.DataFrame:
    """Accidents that are stored with a model, with what it says of them."""
    probability = bundle.predict(subject.features[:_STORED])
    texts = [text.decode() for text in subject.texts[:_STORED]]
    return pd.DataFrame({NESTED: texts, "label": probability >= bundle.threshold, "probability": probability})
