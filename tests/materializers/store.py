"""A local artifact store of the tests, which needs no ZenML database."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from zenml.artifact_stores import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType


def local_store(folder: Path) -> LocalArtifactStore:
    now = datetime.now(UTC)
    return LocalArtifactStore(
        name="tests",
        id=uuid4(),
        config=LocalArtifactStoreConfig(path=str(folder)),
        flavor="local",
        type=StackComponentType.ARTIFACT_STORE,
        user=uuid4(),
        created=now,
        updated=now,
    )
