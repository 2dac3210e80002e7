"""Configuration of monitoring: what counts as drift, fixed beforehand, and when a model is trained again."""

from typing import Annotated, Literal

from pydantic import Field

from accidents.settings import Settings

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Probability = Annotated[float, Field(gt=0, lt=1)]


class EffectSettings(Settings):
    """Least effects that count: a smaller one is no drift, however significant many accidents make it."""

    distribution: Annotated[float, Field(gt=0, le=5)] = 0.2
    """Of the recorded values of a column, as Cohen's w."""
    predictions: Annotated[float, Field(gt=0, le=5)] = 0.2
    """Of the predicted probabilities, as Cohen's w."""
    new_codes: Share = 0.01
    """Share of the values whose codes the reference has hardly or not at all."""
    missing: Share = 0.15
    """Change of the share of values that are not recorded."""
    unknown: Share = 0.15
    """Change of the share of values that callers do not know."""
    calibration: Share = 0.03
    """Difference of the share of priority accidents from the mean probability, beyond that of the test set."""
    departments: Share = 0.1
    """The same in a single department."""
    roc_auc: Share = 0.02
    """Fall of the ROC-AUC below that of the test set."""
    volume: Share = 0.2
    """Relative change of the number of accidents a day. It is reported, and is no drift."""


class SeasonSettings(Settings):
    """How the reference is matched by season."""

    accidents_of_month_at_least: int = Field(100, ge=1)
    """A month with fewer accidents in the reference is none of its months."""
    unmatched_at_most: Share = 0.1
    """Share of the accidents in other months from which on there is no reference of the season."""
    profile: str = "sample"
    """Source of the year whose seasons stand in for those that the reference lacks: sample, or a folder."""


class RetrainingSettings(Settings):
    """When a model is trained again, and what becomes of the candidate."""

    on_label_change: bool = True
    """The last monitoring found other outcomes of like accidents."""
    on_drift_with_loss: bool = True
    """It found drift of inputs, and a fall of the ROC-AUC."""
    roc_auc_at_least: Share = 0.78
    """A lower ROC-AUC in operation, with its whole interval, is a reason, whatever has drifted."""
    calibration_error_at_most: Share = 0.08
    """The same for a larger calibration error (ECE), without the part that chance gives."""
    days_at_most: float = Field(400, gt=0)
    """Age of the model."""
    new_months_at_least: int = Field(12, ge=1)
    """Months of the source that the model has not learned from, such as those of a new edition."""
    cool_down_days: float = Field(7, ge=0)
    """Time after a retraining in which the same model is not trained again."""
    approved_candidate: Literal["Staging", "Production", "wait"] = "wait"
    """What becomes of a candidate that the promotion rule approves: a stage, or a person decides."""


class MonitoringSettings(Settings):
    """Settings of drift, calibration and performance."""

    false_discovery_rate: Probability = 0.005
    """Of all tests of a kind together (Benjamini-Hochberg)."""
    confidence: Probability = 0.95
    """Of the intervals."""
    accidents_at_least: int = Field(200, ge=20)
    """Fewer accidents are too few to compare."""
    days: float = Field(28, gt=0, le=3660)
    """Latest days of the prediction log that are compared."""
    accidents_at_most: int = Field(20_000, ge=200)
    """More of the prediction log are not read: the latest count."""
    effects: EffectSettings = Field(default_factory=EffectSettings)
    """Least effects."""
    season: SeasonSettings = Field(default_factory=SeasonSettings)
    """Matching by season."""
    pictures: int = Field(20, ge=0, le=50)
    """Columns with the largest effects that Evidently draws; 0: none."""
    retraining: RetrainingSettings = Field(default_factory=RetrainingSettings)
    """When a model is trained again."""
