"""A model and the accidents it was evaluated on, as reports show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accidents.configuration.source import SAMPLE
from accidents.models import display_name
from accidents.plots.style import source_note

LEVEL_DESCRIPTIONS = {
    "strict": "visible at once: place, time, light, weather, kinds of vehicles, pedestrians",
    "call": "available from a caller: also manoeuvre, impact, obstacle, age band, sex and seat",
    "scene": "recorded at the scene: also safety equipment, trip, exact ages, the pedestrian's action",
}


@dataclass(frozen=True)
class EvaluatedModel:
    """A model and the accidents it was evaluated on.

    Attributes:
        metadata: `Bundle.metadata` of the model.
        source: where the accidents come from, as typed.
        dataset: which accidents of the source, such as `test set, 12,224 accidents`.
        fingerprint: of their files.
        label: name of the model in place of its type, where models of one type are compared.
        final: `Bundle.metadata` of its final model; None without one.
    """

    metadata: Mapping[str, Any]
    source: str
    dataset: str
    fingerprint: str
    label: str = ""
    final: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The label, or the display name of the model type."""
        return self.label or display_name(self.metadata["model_type"])

    @property
    def synthetic(self) -> bool:
        """Whether the accidents are those of the embedded sample."""
        return self.source == SAMPLE

    @property
    def source_note(self) -> str:
        """The line that names the source of the data."""
        return source_note(synthetic=self.synthetic)

    @property
    def level(self) -> str:
        """The level of information with its description."""
        level = str(self.metadata["level"])
        return f"{level}: {LEVEL_DESCRIPTIONS.get(level, level)}"

    @property
    def final_note(self) -> str:
        """What a reader has to know about figures where a final model answers; empty without one."""
        if self.final is None:
            return ""
        accidents, difference = self.final["rows"]["training"], self.final["evaluated_twin"]["mean_difference"]
        return (
            f"The model that answers is the final model: the same recipe, fitted once more on all {accidents:,} "
            "labelled accidents, test set included. All figures here are those of its evaluated twin, which did not "
            f"see the test set; there the probabilities of the two differ by {difference:.3f} on average"
        )

    @property
    def training_command(self) -> str:
        """The command that trains the model again."""
        metadata = self.metadata
        options = [f"--source {self.source}", f"--models {metadata['model_type']}", f"--level {metadata['level']}"]
        if metadata["resampling"] != "none":
            options.append(f"--resampling {metadata['resampling']}")
        if not metadata["geography"]:
            options.append("--no-geography")
        if self.final:
            options.append("--final")
        return "python run.py --training " + " ".join(options)

    def training_details(self) -> dict[str, str]:
        """Return data, parameters and versions of the training as text by name, for a table."""
        metadata = self.metadata
        rule = metadata["rule"] or "as given"
        return {
            "model": self.name,
            "level of information": self.level,
            "place among the features": "yes" if metadata["geography"] else "no",
            "columns": f"{len(metadata['columns'])}",
            "accidents by subset": _format_pairs({name: f"{count:,}" for name, count in metadata["rows"].items()}),
            "split": _format_pairs(metadata["split"]),
            "decision threshold": f"{metadata['threshold']:.4f} ({rule}, on the validation set)",
            "resampling": metadata["resampling"],
            "calibration": _format_pairs({name: f"{value:.3f}" for name, value in metadata["calibration"].items()}),
            "hyperparameters": _format_pairs(metadata["parameters"]),
            "seed": str(metadata["seed"]),
            "trained at": metadata["trained_at"],
            "training data fingerprint": metadata["fingerprint"],
            "editions of the training data": _format_pairs(metadata["editions"]) or "not recorded",
            "evaluated on": self.dataset,
            "source": self.source,
            "fingerprint of the evaluation data": self.fingerprint,
            "versions": _format_pairs(metadata["versions"]),
        }


def _format_pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items() if value is not None)
