"""Resolves the model that promotion has published in a folder or bucket; asks neither MLflow nor ZenML."""

from collections.abc import Callable
from pathlib import Path

from accidents.bundle.publication import fetch_model
from serving.model.pointer import ModelPointer


def published_model_resolver(location: str, cache: Path) -> Callable[[], ModelPointer]:
    """Resolves to the published model, copied to this machine.

    Args:
        location: folder, or URL of fsspec such as s3://bucket/folder.
        cache: folder for the copies; the model in it is served while the location is away.
    """

    def resolve() -> ModelPointer:
        fetched = fetch_model(location, cache)
        published, expected = fetched.published, fetched.expected_predictions
        return ModelPointer(
            str(fetched.model_file.resolve()),
            published.name,
            published.version,
            digest=published.model.sha256,
            expected_predictions=str(expected.resolve()) if expected else "",
            problem=fetched.problem,
        )

    return resolve
