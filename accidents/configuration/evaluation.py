"""Configuration of the evaluation: bootstrap, calibration, curves, groups and explanations."""

from pydantic import Field

from accidents.settings import Settings


class EvaluationSettings(Settings):
    """Settings of the metrics and explanations of a model."""

    resamples: int = Field(500, ge=10)
    """Bootstrap resamples behind every interval."""
    group_resamples: int = Field(200, ge=10)
    """Bootstrap resamples behind the intervals of one group."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Share of resamples that an interval covers."""
    seed: int = Field(0, ge=0)
    """Seed of every resample and of the accidents drawn for explanations."""
    calibration_bins: int = Field(15, ge=2, le=100)
    """Bins of equal width, for ECE and the calibration plot."""
    curve_points: int = Field(200, ge=20, le=2000)
    """Most points that a ROC or precision-recall curve keeps."""
    threshold_points: int = Field(99, ge=9, le=999)
    """Thresholds, evenly between 0 and 1, that are compared."""
    group_columns: tuple[str, ...] = ("dep", "catr", "lum", "mois")
    """Columns of the accidents by which metrics are shown."""
    smallest_group: int = Field(50, ge=10)
    """Groups of fewer accidents are put together as one."""
    explained_accidents: int = Field(500, ge=20)
    """Accidents drawn for the global importance of features."""
    explained_accidents_of: dict[str, int] = Field({"random_forest": 40})
    """The same for model types whose exact SHAP values take long."""
    shown_features: int = Field(15, ge=3, le=50)
    """Features in the importance plot."""
