"""Materializer of model bundles: bundle file, metadata and a preview page."""

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
_METADATA = ("model_type", "level", "geography", "threshold", "rule", "resampling", "seed", "rows", "trained_at")


class BundleMaterializer(BaseMaterializer):
    """Stores a bundle as the file that `Bundle.load` reads."""

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
        """Read the bundle."""
        with self.artifact_store.open(f"{self.uri}/{BUNDLE_FILE}", "rb") as file:
            return Bundle.from_bytes(file.read(), name=f"{self.uri}/{BUNDLE_FILE}")

    def compute_content_hash(self, data: Bundle) -> str:
        """SHA-256 of the file."""
        return self._checksum or hashlib.sha256(data.to_bytes()).hexdigest()

    def extract_metadata(self, data: Bundle) -> dict[str, Any]:
        """Settings of the model and its metrics on the validation set."""
        metadata = data.metadata()
        return {name: metadata[name] for name in _METADATA} | {"validation": metadata["metrics"].get("validation", {})}

    def save_visualizations(self, data: Bundle) -> dict[str, VisualizationType]:
        """Write the preview page."""
        path = f"{self.uri}/model.html"
        with self.artifact_store.open(path, "w") as file:
            file.write(_page(data.metadata()))
        return {path: VisualizationType.HTML}


def _page(metadata: dict[str, Any]) -> str:
    """Page with the metrics on the validation set, and below them the settings of the model."""
    metrics = {name: [round(value, 4)] for name, value in metadata["metrics"].get("validation", {}).items()}
    settings = {name.replace("_", " "): _format(metadata[name]) for name in _METADATA}
    table = pd.DataFrame({"": settings.keys(), " ": settings.values()})
    validation = [("Validation set", pd.DataFrame(metrics))] if metrics else []
    return render_page([*validation, (f"{metadata['model_type']}, level {metadata['level']}", table)])


def _format(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:,}" for name, number in value.items())
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
