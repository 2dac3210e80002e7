"""Configuration of the training pipeline: model types, split, tuning, calibration and decision threshold."""

from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from accidents.configuration.project_path import ProjectPath
from accidents.models import model_class, model_types
from accidents.models.base import SearchRange
from accidents.settings import Settings

Resampling = Literal["none", "smote", "class_weight", "undersample"]
TuningMethod = Literal["none", "grid", "optuna"]
FINAL_DIFFERENCE_AT_MOST = 0.1


class SplitSettings(Settings):
    """Split into training, validation and test set."""

    kind: Literal["random", "temporal"] = "random"
    """Test accidents are drawn at random, or are the latest."""
    test_share: float = Field(0.3, gt=0, lt=1)
    """Share of accidents in the test set."""
    test_from: date | None = None
    """Temporal only: first day of the test set, in place of test_share."""
    validation_share: float = Field(0.15, gt=0, lt=1)
    """Share of the other accidents that stop, calibrate and set the threshold."""

    @model_validator(mode="after")
    def _day_is_used(self) -> Self:
        if self.test_from is not None and self.kind != "temporal":
            raise ValueError("test_from is for the temporal split; set kind to temporal or leave test_from out")
        return self


class ThresholdRule(Settings):
    """How the decision threshold is chosen on the validation set: exactly one of the three."""

    best: Literal["f1"] | None = None
    """The threshold of best F1."""
    recall_at_least: float | None = Field(None, gt=0, le=1)
    """Best precision among those with this recall."""
    precision_at_least: float | None = Field(None, gt=0, le=1)
    """Best recall among those with this precision."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(type(self).model_fields)}; given: {', '.join(given) or 'none'}")
        return self

    def __str__(self) -> str:
        name, value = next((name, value) for name, value in self if value is not None)
        return f"best {value.upper()}" if name == "best" else f"{name.replace('_', ' ')} {value:g}"


class TuningSettings(Settings):
    """Hyperparameter search."""

    method: TuningMethod = "none"
    """Take hyperparameters as configured, try every point of the grid, or search with Optuna."""
    trials: int = Field(40, ge=1)
    """Optuna: number of trials, those of an interrupted search included."""
    timeout_seconds: float | None = Field(None, gt=0)
    """Optuna: start no trial after this time; null: none."""
    pruner: Literal["median", "hyperband", "none"] = "median"
    """Optuna: what gives up a trial after its first folds."""
    storage: ProjectPath = Field(Path("models/tuning.journal"), validate_default=True)
    """Optuna: file of all trials, from which a search goes on."""


class ModelSettings(Settings):
    """Settings of one model type; the defaults are in its module."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    """Hyperparameters."""
    grid: dict[str, list[Any]] | None = None
    """Values by hyperparameter for grid search."""
    space: dict[str, SearchRange | list[Any]] | None = None
    """Ranges by hyperparameter for Optuna."""


class TrainingSettings(Settings):
    """Settings of the training, apart from the data and the features."""

    models: tuple[str, ...] = Field(default_factory=model_types, min_length=1)
    """Model types to train, or `all`."""
    seed: int = Field(0, ge=0)
    """Of the split, the folds, resampling, searches and models."""
    threads: int = Field(1, ge=1)
    """Threads to fit one model with, up to 200,000 accidents: models are trained side by side then, and with all
    processors above. Another number may change the last digits."""
    split: SplitSettings = Field(default_factory=SplitSettings)
    """Training, validation and test set."""
    encoder_folds: int = Field(5, ge=2)
    """Folds in which geography is encoded out of fold."""
    encoder_strength: float = Field(8.0, gt=0)
    """Accidents that the share of the place around counts for, where a place has few."""
    partial_knowledge: bool = True
    """Learn to answer where a caller does not know everything, too."""
    resampling: Resampling = "none"
    """What is done about imbalance, inside training folds only."""
    refit: bool = True
    """Refit on training and validation set after calibration."""
    final: bool = False
    """Fit every evaluated model once more on all labelled accidents, test set included; that one answers."""
    final_difference_at_most: float = Field(FINAL_DIFFERENCE_AT_MOST, gt=0, lt=1)
    """Greatest mean difference of the probabilities of the final and the evaluated model on the test set."""
    calibrate: bool = True
    """Calibrate probabilities on the validation set."""
    threshold: ThresholdRule = Field(default_factory=lambda: ThresholdRule(best="f1"))
    """How the decision threshold is chosen."""
    calibration_bins: int = Field(15, ge=2, le=100)
    """Bins of equal width of the calibration error."""
    cv_folds: int = Field(5, ge=2)
    """Folds of the training set for searches and cross-validated scores."""
    cross_validate: bool = False
    """Measure a cross-validated score without a search, too."""
    tuning: TuningSettings = Field(default_factory=TuningSettings)
    """Search for hyperparameters."""
    compare_without_geography: bool = False
    """Train the best model without places as well, for the model card."""
    models_folder: ProjectPath = Field(Path("models"), validate_default=True)
    """Folder of bundles and their metadata."""
    reports_folder: ProjectPath = Field(Path("reports"), validate_default=True)
    """Folder of metrics, reports and the model card."""
    model_settings: dict[str, ModelSettings] = Field(default_factory=dict)
    """Settings by model type."""

    @field_validator("models", mode="before")
    @classmethod
    def _expand_all(cls, models: Any) -> Any:
        return model_types() if models == "all" else models

    @field_validator("models")
    @classmethod
    def _known_types(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in model_types()]:
            raise ValueError(f"unknown: {', '.join(unknown)}; allowed: {', '.join(model_types())}")
        return names

    @field_validator("model_settings")
    @classmethod
    def _known_hyperparameters(cls, settings: dict[str, ModelSettings]) -> dict[str, ModelSettings]:
        for name, model in settings.items():
            hyperparameters = model_class(name).PARAMETERS
            named = {*model.parameters, *(model.grid or {}), *(model.space or {})}
            if unknown := named - hyperparameters.model_fields.keys():
                allowed = ", ".join(hyperparameters.model_fields)
                raise ValueError(f"{name} has no hyperparameter {', '.join(sorted(unknown))}; it has {allowed}")
            try:
                hyperparameters.model_validate(model.parameters)
            except ValidationError as error:
                wrong = error.errors()[0]
                raise ValueError(f"{name}.parameters.{wrong['loc'][0]} = {wrong['input']!r}: {wrong['msg']}") from None
        return settings

    def for_model_type(self, name: str) -> Self:
        """The settings that the training of one model type depends on, so that its cache does not depend on others."""
        excluded = {"models_folder", "reports_folder", "compare_without_geography", "models", "model_settings"}
        excluded |= {"final", "final_difference_at_most"}
        own = {name: self.model_settings[name]} if name in self.model_settings else {}
        kept = {field: value for field, value in self if field not in excluded}
        return type(self)(models=(name,), model_settings=own, **kept)

    def settings_of(self, name: str) -> ModelSettings:
        """Settings of the model type `name`, empty where none are configured."""
        return self.model_settings.get(name, ModelSettings())
