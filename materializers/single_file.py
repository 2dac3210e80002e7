"""Base class of the materializers: an artifact as one file with a checksum, and HTML preview pages."""

import hashlib
from abc import abstractmethod
from typing import Any, ClassVar

from zenml.enums import VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer


class SingleFileMaterializer(BaseMaterializer):
    """Stores an artifact as one file; equal content gives equal hashes, so that downstream steps stay cached.

    Subclasses define `FILE_NAME`, `encode`, `decode` and `pages`.
    """

    SKIP_REGISTRATION: ClassVar[bool] = True
    FILE_NAME: ClassVar[str]

    _checksum: str | None = None

    @abstractmethod
    def encode(self, data: Any) -> bytes:
        """Content of the file."""

    @abstractmethod
    def decode(self, content: bytes) -> Any:
        """The artifact from the content of its file."""

    @abstractmethod
    def pages(self, data: Any) -> dict[str, str]:
        """Preview pages as HTML by file name."""

    def write(self, name: str, content: bytes) -> str:
        """Write a file of the artifact, and return its path."""
        path = f"{self.uri}/{name}"
        with self.artifact_store.open(path, "wb") as file:
            file.write(content)
        return path

    def save(self, data: Any) -> None:
        """Write the file."""
        content = self.encode(data)
        self._checksum = hashlib.sha256(content).hexdigest()
        self.write(self.FILE_NAME, content)

    def load(self, data_type: type[Any]) -> Any:  # noqa: ARG002  # the signature is ZenML's
        """Read the file."""
        with self.artifact_store.open(f"{self.uri}/{self.FILE_NAME}", "rb") as file:
            return self.decode(file.read())

    def compute_content_hash(self, data: Any) -> str:
        """SHA-256 of the file."""
        return self._checksum or hashlib.sha256(self.encode(data)).hexdigest()

    def save_visualizations(self, data: Any) -> dict[str, VisualizationType]:
        """Write the preview pages."""
        return {self.write(name, page.encode()): VisualizationType.HTML for name, page in self.pages(data).items()}
