"""A trained model with everything that it needs to predict, as one file of data (docs/model-format.md)."""

from accidents.bundle.archive import read_manifest
from accidents.bundle.calibration import Calibration
from accidents.bundle.model_bundle import Bundle

__all__ = ["Bundle", "Calibration", "read_manifest"]
