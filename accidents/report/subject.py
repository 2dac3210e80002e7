"""What a page is about: a model, and the accidents that it was measured on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accidents.plots.style import credit

_NAMES = {"lightgbm": "LightGBM", "xgboost": "XGBoost"}

LEVELS_IN_WORDS = {
    "strict": "what a bystander can tell at once: where, when, light, weather, kinds of vehicles, any pedestrian",
    "call": "what a caller can tell when asked: also manoeuvre, impact, obstacle, age band, sex and seat",
    "scene": "everything recorded at the scene: also safety equipment, trip, exact ages, the pedestrian's action",
}


@dataclass(frozen=True)
class Subject:
    """A model and the accidents it was measured on.

    `metadata` is that of a bundle (`accidents.bundle`). `source` says where the accidents come from, as typed;
    `accidents` which of them were measured, such as `test part, 12,224 accidents`; `fingerprint` is that of their
    files; `synthetic` whether they are made up; `label` tells models of one type apart.
    """

    metadata: Mapping[str, Any]
    source: str
    accidents: str
    fingerprint: str
    synthetic: bool
    label: str = ""

    @property
    def name(self) -> str:
        """The label, or the model type as people write it."""
        return self.label or display_name(self.metadata["model_type"])

    @property
    def credit(self) -> str:
        """The line that names the source of the data."""
        return credit(synthetic=self.synthetic)

    @property
    def level(self) -> str:
        """What the model is told, in words."""
        level = str(self.metadata["level"])
        return f"{level}: {LEVELS_IN_WORDS.get(level, level)}"

    @property
    def command(self) -> str:
        """The command line that trains such a model again."""
        facts = self.metadata
        options = [f"--source {self.source}", f"--models {facts['model_type']}", f"--level {facts['level']}"]
        if facts["resampling"] != "none":
            options.append(f"--resampling {facts['resampling']}")
        if not facts["geography"]:
            options.append("--no-geography")
        return "python run.py --training " + " ".join(options)

    def facts(self) -> dict[str, str]:
        """How the model came about, for a table: names and values as text."""
        facts = self.metadata
        return {
            "model": self.name,
            "level of information": self.level,
            "place among the features": "yes" if facts["geography"] else "no",
            "columns": f"{len(facts['columns'])}",
            "accidents by part": _listed({name: f"{count:,}" for name, count in facts["rows"].items()}),
            "split": _listed(facts["split"]),
            "decision threshold": f"{facts['threshold']:.4f} ({facts['rule'] or 'as given'}, on the validation part)",
            "resampling": facts["resampling"],
            "calibration": _listed({name: f"{value:.3f}" for name, value in facts["calibration"].items()}),
            "hyperparameters": _listed(facts["parameters"]),
            "seed": str(facts["seed"]),
            "trained at": facts["trained_at"],
            "training data fingerprint": facts["fingerprint"],
            "measured on": self.accidents,
            "source": self.source,
            "fingerprint of the measured data": self.fingerprint,
            "versions": _listed(facts["versions"]),
        }


def display_name(model_type: str) -> str:
    """A model type as people write it, such as `Random Forest`."""
    return _NAMES.get(model_type, model_type.replace("_", " ").title())


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items() if value is not None)
