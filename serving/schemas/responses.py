"""Models of what callers get, for the OpenAPI description."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["code", "integer", "number", "text", "time", "key"]
Level = Literal["strict", "call", "scene"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Called(_Answer):
    """Which model has answered."""

    name: str = Field(description="registered name, or that of the file", examples=["Accident_Prediction_Lightgbm"])
    version: str = Field(description="version in the registry, or date of training", examples=["3"])
    type: str = Field(description="type of model", examples=["lightgbm"])


class ReasonGiven(_Answer):
    """One fact and what it adds to the prediction."""

    topic: str = Field(description="what it is about", examples=["light"])
    text: str = Field(description="in words, with the accident's own value", examples=["light: daylight"])
    value: float | None = Field(description="value of the column that speaks for the topic; null: not recorded")
    contribution: float = Field(description="positive speaks for priority; in `unit`")


class Prediction(_Answer):
    """What the model says about one accident."""

    prediction_id: str = Field(description="to name the prediction by, for feedback")
    model: Called
    level: Level = Field(description="what the model is told of an accident")
    prediction: Literal[0, 1] = Field(description="1 where the probability reaches the threshold")
    interpretation: Literal["Priority", "Non-Priority"]
    probability: float = Field(ge=0, le=1, description="calibrated, that somebody was killed or hospitalised")
    threshold: float = Field(ge=0, le=1)
    missing: list[str] = Field(description="inputs that the model uses and that were not given")
    warnings: list[str] = Field(description="what was given and could not be used as it stands")
    reasons: list[ReasonGiven] | None = Field(None, description="strongest first, where asked for")
    unit: Literal["log-odds", "probability"] | None = Field(None, description="of contributions")


class Explanation(Prediction):
    """A prediction and all that moved the model: `average` and all contributions add up to `said`."""

    average: float = Field(description="what the model says on average, in `unit`")
    said: float = Field(description="what it says of this accident, before calibration")


class Problem(_Answer):
    """One fault of a request."""

    field: str
    value: str
    reason: str


class Fault(_Answer):
    """Why something was not answered."""

    code: str = Field(description="for programs", examples=["invalid_accident"])
    message: str = Field(description="for people")
    problems: list[Problem] = Field(description="every fault of the content")


class Error(_Answer):
    """Why a request was not answered."""

    error: Fault
    request_id: str


class Refused(_Answer):
    """Why an accident of a batch was not answered."""

    error: Fault


class Predictions(_Answer):
    """Answers in the order of the accidents, each a prediction or an error."""

    results: list[Prediction | Refused]


class Model(_Answer):
    """The model that answers now."""

    name: str
    version: str
    type: str
    level: Level
    geography: bool = Field(description="whether it is told where the accident was")
    trained_at: str
    trained_on: dict[str, Any] = Field(description="fingerprint and months of the data, accidents by part, split")
    threshold: float
    rule: str = Field(description="how the threshold was chosen")
    metrics: dict[str, dict[str, float | None]] = Field(description="by part: validation, test")
    features: list[str]
    signature: dict[str, list[str]] = Field(description="what goes in and what comes out")


class InputFeature(_Answer):
    """One column of BAAC that a request may give."""

    name: str
    meaning: str
    kind: Kind
    known: Level
    codes: dict[str, str]
    minimum: float | None
    maximum: float | None
    unit: str
    pattern: str
    used: bool = Field(description="whether the model that answers uses it")


class InputFeatures(_Answer):
    """What a request may hold, by part of the nested form, and the keys of the flat form."""

    level: Level
    parts: dict[str, list[InputFeature]]
    flat: list[str]


class Evaluated(_Answer):
    """The model measured on labelled accidents; what is not defined is null."""

    model: Called
    n: int
    threshold: float
    metrics: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    confidence: float
    confusion: dict[str, int]


class FeedbackTaken(_Answer):
    """An outcome that was stored."""

    prediction_id: str
    priority: Literal[0, 1]
    replaced: bool = Field(description="whether it takes the place of an earlier one")


class Reloaded(_Answer):
    """What a look for a newer model has found."""

    model: Called
    changed: bool


class Alive(_Answer):
    """The process answers."""

    status: Literal["alive"]


class Ready(_Answer):
    """A model is loaded and answers."""

    status: Literal["ready"]
    model: Called
