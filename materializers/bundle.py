"""Materializer of model bundles: bundle file, metadata and a preview page."""

import json
from typing import Any, ClassVar

import pandas as pd
from zenml.enums import ArtifactType

from accidents.bundle import Bundle
from accidents.errors import ModelError
from materializers.page import render_page
from materializers.single_file import SingleFileMaterializer

BUNDLE_FILE = "model.zip"
METADATA_FILE = "metadata.json"
_METADATA = ("model_type", "level", "geography", "threshold", "rule", "resampling", "seed", "rows", "trained_at")


class BundleMaterializer(SingleFileMaterializer):
    """Stores a bundle as the file that `Bundle.load` reads, and its metadata as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Bundle,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    FILE_NAME: ClassVar[str] = BUNDLE_FILE

    def encode(self, data: Bundle) -> bytes:
        """The bundle file."""
        return data.to_bytes()

    def decode(self, content: bytes) -> Bundle:
        """The bundle.

        Raises:
            ModelError: the file is not a valid bundle.
        """
        return Bundle.from_bytes(content, name=f"{self.uri}/{BUNDLE_FILE}")

    def load(self, data_type: type[Any]) -> Bundle:
        """Read the bundle.

        Raises:
            ModelError: the file is not a valid bundle, or the artifact was stored before there were such files.
        """
        if not self.artifact_store.exists(f"{self.uri}/{BUNDLE_FILE}"):
            raise ModelError(
                f"{self.uri}: holds no model file of today's format; train the model again, or convert its file "
                "(python run.py convert models/<type>_model.joblib) and name it with --model-path"
            )
        return super().load(data_type)

    def save(self, data: Bundle) -> None:
        """Write the bundle and its metadata."""
        super().save(data)
        self.write(METADATA_FILE, (json.dumps(data.metadata(), indent=2) + "\n").encode())

    def extract_metadata(self, data: Bundle) -> dict[str, Any]:
        """Settings of the model and its metrics on the validation set."""
        metadata = data.metadata()
        return {name: metadata[name] for name in _METADATA} | {"validation": metadata["metrics"].get("validation", {})}

    def pages(self, data: Bundle) -> dict[str, str]:
        """Page with metrics and settings of the model."""
        return {"model.html": _page(data.metadata())}


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
