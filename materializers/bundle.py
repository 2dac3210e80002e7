"""Model bundles as artifacts: the file people load, its metadata beside it, and a page that says what it is."""

import hashlib
import json
from typing import Any, ClassVar

import pandas as pd
from zenml.enums import ArtifactType, VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer

from accidents.bundle import Bundle
from materializers.page import render_page

BUNDLE_FILE = "model.joblib"
METADATA_FILE = "metadata.json"
_SHOWN = ("model_type", "level", "geography", "threshold", "rule", "resampling", "seed", "rows", "trained_at")


class BundleMaterializer(BaseMaterializer):
    """Stores a bundle as the one file that `Bundle.load` reads."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Bundle,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    _checksum: str | None = None

    def save(self, data: Bundle) -> None:
        """Write the bundle and its metadata."""
        content = data.to_bytes()
        self._checksum = hashlib.sha256(content).hexdigest()
        with self.artifact_store.open(f"{self.uri}/{BUNDLE_FILE}", "wb") as file:
            file.write(content)
        with self.artifact_store.open(f"{self.uri}/{METADATA_FILE}", "w") as file:
            file.write(json.dumps(data.metadata(), indent=2) + "\n")

    def load(self, data_type: type[Any]) -> Bundle:  # noqa: ARG002  # the signature is ZenML's
        """Read the bundle back; one of another version is refused by name."""
        with self.artifact_store.open(f"{self.uri}/{BUNDLE_FILE}", "rb") as file:
            return Bundle.from_bytes(file.read(), name=f"{self.uri}/{BUNDLE_FILE}")

    def compute_content_hash(self, data: Bundle) -> str:
        """SHA-256 of the file."""
        return self._checksum or hashlib.sha256(data.to_bytes()).hexdigest()

    def extract_metadata(self, data: Bundle) -> dict[str, Any]:
        """What the model is, and its figures on the validation part."""
        metadata = data.metadata()
        return {name: metadata[name] for name in _SHOWN} | {"validation": metadata["metrics"].get("validation", {})}

    def save_visualizations(self, data: Bundle) -> dict[str, VisualizationType]:
        """Write a page with the facts about the model and its figures."""
        path = f"{self.uri}/model.html"
        with self.artifact_store.open(path, "w") as file:
            file.write(_page(data.metadata()))
        return {path: VisualizationType.HTML}


def _page(metadata: dict[str, Any]) -> str:
    """Figures of the validation part in one row, and below them what the model is."""
    figures = {name: [round(value, 4)] for name, value in metadata["metrics"].get("validation", {}).items()}
    facts = {name.replace("_", " "): _in_words(metadata[name]) for name in _SHOWN}
    known = pd.DataFrame({"": facts.keys(), " ": facts.values()})
    measured = [("Validation part", pd.DataFrame(figures))] if figures else []
    return render_page([*measured, (f"{metadata['model_type']}, level {metadata['level']}", known)])


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:,}" for name, number in value.items())
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
