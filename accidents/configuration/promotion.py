"""Configuration of the promotion: criteria that a model has to meet before it may take a stage of the registry."""

from typing import Annotated, Literal

from pydantic import Field

from accidents.settings import Settings

Higher = Literal["roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy"]
"""Metrics of which more is better."""

Lower = Literal["brier", "ece"]
"""Metrics of which less is better."""

Stage = Literal["Staging", "Production"]

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ImprovementSettings(Settings):
    """Required improvement of a candidate over the incumbent."""

    metric: Higher | Lower = "f1"
    """Metric that is compared."""
    at_least: float = Field(0.0, ge=-1, le=1, allow_inf_nan=False)
    """How much better the candidate has to be; 0: not worse; for brier and ece less is better."""
    significant: bool = False
    """Whether the whole paired bootstrap interval of the difference must lie above at_least, too."""
    over: tuple[Stage, ...] = Field(("Production",), min_length=1)
    """Stages of which the best holder is the model to beat."""


class GuardSettings(Settings):
    """Largest deterioration against the incumbent."""

    ece_worse_by_at_most: Share = 0.005
    """Rise of the calibration error."""
    worst_department_worse_by_at_most: Share = 0.03
    """Fall of the ROC-AUC of the department where it is lowest."""
    department_accidents_at_least: int = Field(200, ge=10)
    """Departments with fewer accidents among those measured are not judged."""


class PromotionSettings(Settings):
    """Criteria of a promotion, and whether it is automatic."""

    floors: dict[Higher, Share] = Field(
        {"roc_auc": 0.78, "pr_auc": 0.65, "f1": 0.65, "precision": 0.55, "recall": 0.6, "accuracy": 0.7}
    )
    """Least value by metric."""
    ceilings: dict[Lower, Share] = Field({"brier": 0.18, "ece": 0.05})
    """Greatest value by metric."""
    improvement: ImprovementSettings = Field(default_factory=ImprovementSettings)
    """Comparison with the model to beat."""
    guards: GuardSettings = Field(default_factory=GuardSettings)
    """What may not get worse."""
    accidents_at_least: int = Field(1000, ge=1)
    """Fewer accidents that no model has learned from are too few to compare on."""
    auto_transition_to_staging: bool = False
    """A model that is approved takes Staging by itself."""
    auto_transition_to_production: bool = False
    """A model that is approved takes Production by itself."""
