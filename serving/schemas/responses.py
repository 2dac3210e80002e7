"""Pydantic models of responses, for the OpenAPI schema."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ColumnKind = Literal["code", "integer", "number", "text", "time", "key"]
Level = Literal["strict", "call", "scene"]


class _Response(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ModelInfo(_Response):
    """The model that made a prediction."""

    name: str = Field(description="registered name, or name of the file", examples=["Accident_Prediction_Lightgbm"])
    version: str = Field(description="version in the registry, or date of training", examples=["3"])
    type: str = Field(description="type of model", examples=["lightgbm"])


class ReasonResponse(_Response):
    """Contribution of one topic to the prediction."""

    topic: str = Field(description="group of columns", examples=["light"])
    text: str = Field(description="in words, with the value of the accident", examples=["light: daylight"])
    value: float | None = Field(description="value of the column that represents the topic; null: not known")
    contribution: float = Field(description="sum over the columns of the topic in `unit`; positive for priority")


class QuestionResponse(_Response):
    """An unknown fact of the accident that is worth asking for."""

    field: str = Field(description="its path in the request", examples=["vehicles[0].manv"])
    text: str = Field(description="in words", examples=["Vehicle 1 (car): main manoeuvre before the accident"])
    gain: float = Field(ge=0, description="expected fall of the Brier score once the answer is known")


class DerivedFactResponse(_Response):
    """An input that was not given and follows from others."""

    field: str = Field(examples=["accident.lum"])
    value: int | float | str = Field(examples=[1])
    meaning: str = Field(description="of a code", examples=["daylight"])
    source: str = Field(description="what it follows from", examples=["date, time and place"])


class PredictionResponse(_Response):
    """Prediction for one accident."""

    prediction_id: str = Field(description="identifies the prediction in feedback")
    model: ModelInfo
    level: Level = Field(description="availability of the columns that the model uses")
    prediction: Literal[0, 1] = Field(description="1 where the probability reaches the threshold")
    interpretation: Literal["Priority", "Non-Priority"]
    probability: float = Field(ge=0, le=1, description="calibrated, that somebody was killed or hospitalised")
    threshold: float = Field(ge=0, le=1)
    share_known: float = Field(ge=0, le=1, description="share of what usually decides that is known")
    tentative: bool = Field(description="whether so little is known that the prediction is tentative")
    missing: list[str] = Field(
        description="inputs that features use and that were not given; 1 is assumed for `nb_vehicules` and `nb_victim`"
    )
    warnings: list[str] = Field(description="inputs that could not be used as given")
    derived: list[DerivedFactResponse] = Field(description="inputs that were not given and follow from others")
    reasons: list[ReasonResponse] | None = Field(None, description="strongest first, where requested")
    unit: Literal["log-odds", "probability"] | None = Field(None, description="unit of the contributions")
    ask: list[QuestionResponse] | None = Field(
        None, description="best question first, where requested; null: this model cannot rank questions"
    )


class ExplanationResponse(PredictionResponse):
    """A prediction with all its reasons: `base_value` and all contributions add up to `raw_score`."""

    base_value: float = Field(description="mean score of the model in `unit`, before calibration (SHAP base value)")
    raw_score: float = Field(description="score of this accident in `unit`, before calibration")
    average: float = Field(description="old name of `base_value`", deprecated=True)
    said: float = Field(description="old name of `raw_score`", deprecated=True)


class FieldProblemResponse(_Response):
    """One invalid field."""

    field: str
    value: str
    reason: str


class ErrorDetail(_Response):
    """Why a request or an accident was refused."""

    code: str = Field(description="for programs", examples=["invalid_accident"])
    message: str = Field(description="for people")
    problems: list[FieldProblemResponse] = Field(description="the first 50 invalid fields of the request")
    problem_count: int | None = Field(None, description="number of all invalid fields, if more than those listed")


class AccidentError(_Response):
    """Error of one accident in a batch."""

    error: ErrorDetail


class Error(AccidentError):
    """Error response."""

    request_id: str


class Predictions(_Response):
    """Results in the order of the accidents, each a prediction or an error."""

    results: list[PredictionResponse | AccidentError]


class ModelDetails(ModelInfo):
    """Properties of the loaded model."""

    level: Level
    geography: bool = Field(description="whether the model uses the place of the accident")
    trained_at: str
    trained_on: dict[str, Any] = Field(description="fingerprint and months of the data, accidents by set, split")
    threshold: float
    rule: str = Field(description="how the threshold was chosen")
    metrics: dict[str, dict[str, float | None]] = Field(
        description="by set: validation, test; of a final model those of its evaluated twin"
    )
    evaluated_twin: dict[str, Any] | None = Field(description="of a final model: the model that was evaluated")
    features: list[str]
    signature: dict[str, list[str]] = Field(description="inputs and outputs")


class PlaceResponse(_Response):
    """A place that the geocoder found."""

    label: str
    latitude: float
    longitude: float
    commune: str = Field(description="INSEE code", examples=["95127"])
    department: str = Field(examples=["95"])
    score: float = Field(ge=0, le=1, description="how well it fits the address")


class Places(_Response):
    """Places of an address, the best first."""

    places: list[PlaceResponse]


class InputFeature(_Response):
    """A BAAC column that a request may contain."""

    name: str
    meaning: str
    kind: ColumnKind
    known: Level
    codes: dict[str, str]
    minimum: float | None
    maximum: float | None
    unit: str
    pattern: str
    used: bool = Field(description="whether the loaded model uses it")


class InputFeatures(_Response):
    """Columns that a request may contain, by part of the nested form, and the fields of the flat form."""

    level: Level
    parts: dict[str, list[InputFeature]]
    flat: list[str]
    lookups: dict[Literal["address", "weather"], bool] = Field(description="which services are configured")


class EvaluationResponse(_Response):
    """Metrics of the model on labelled accidents; undefined ones are null."""

    model: ModelInfo
    n: int
    threshold: float
    metrics: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    confidence: float
    confusion: dict[str, int]
    drift_share: float | None = Field(description="share of the columns that have drifted from `reference`")


class StoredFeedback(_Response):
    """An outcome that was stored."""

    prediction_id: str
    priority: Literal[0, 1]
    replaced: bool = Field(description="whether it replaces an earlier outcome")


class ReloadResult(_Response):
    """Result of a check for a newer model."""

    model: ModelInfo
    changed: bool


class Health(_Response):
    """The process is alive."""

    status: Literal["alive"]


class Readiness(_Response):
    """A model is loaded. While the database is unavailable, predictions wait in memory and feedback is refused."""

    status: Literal["ready"]
    model: ModelInfo
    database: Literal["available", "unavailable"]


class CallerInfo(_Response):
    """The caller, as the API key names it."""

    id: str
    name: str
    role: Literal["predict", "evaluate", "admin"]


class ClassicPrediction(_Response):
    """Prediction for one accident in the shape of the classic interface."""

    prediction: Literal[0, 1]
    probability: float = Field(ge=0, le=1)
    model_type: str


class ClassicMetrics(_Response):
    """Metrics under their classic names; undefined ones are null."""

    accuracy: float | None
    precision: float | None
    recall: float | None
    f1_score: float | None
    roc_auc: float | None


class ClassicEvaluation(_Response):
    """Evaluation in the shape of the classic interface."""

    metrics: ClassicMetrics
    col_drift_share: float | None = Field(description="share of the columns that have drifted from `ref_data`")
    model_type: str


class ClassicPredictions(_Response):
    """Predictions in the shape of the classic interface, in the order of the accidents."""

    predictions: list[Literal[0, 1]]
    probabilities: list[float]
    count: int
    model_type: str
