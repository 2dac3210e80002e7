"""Materializer of model reports: a zip archive of all files, and each report as a preview page."""

import hashlib
import io
import zipfile
from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer

from accidents.report.report_files import REPORT_FILE, ReportFiles

ARCHIVE = "reports.zip"


class ReportsMaterializer(BaseMaterializer):
    """Stores reports as a reproducible zip archive with a folder for each model type."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ReportFiles,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA_ANALYSIS

    _checksum: str | None = None

    def save(self, data: ReportFiles) -> None:
        """Write the archive."""
        content = _zip(data)
        self._checksum = hashlib.sha256(content).hexdigest()
        with self.artifact_store.open(f"{self.uri}/{ARCHIVE}", "wb") as file:
            file.write(content)

    def load(self, data_type: type[Any]) -> ReportFiles:  # noqa: ARG002  # the signature is ZenML's
        """Read the archive."""
        with self.artifact_store.open(f"{self.uri}/{ARCHIVE}", "rb") as file:
            content = file.read()
        files: dict[str, dict[str, str]] = {}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for path in archive.namelist():
                model_type, _, name = path.partition("/")
                files.setdefault(model_type, {})[name] = archive.read(path).decode()
        return ReportFiles(files)

    def compute_content_hash(self, data: ReportFiles) -> str:
        """SHA-256 of the archive."""
        return self._checksum or hashlib.sha256(_zip(data)).hexdigest()

    def extract_metadata(self, data: ReportFiles) -> dict[str, Any]:
        """Number of files by model type."""
        return {"files": {model_type: len(files) for model_type, files in data.files.items()}}

    def save_visualizations(self, data: ReportFiles) -> dict[str, VisualizationType]:
        """Write the report of each model as a preview page."""
        pages = {}
        for model_type, files in data.files.items():
            path = f"{self.uri}/{model_type}.html"
            with self.artifact_store.open(path, "w") as file:
                file.write(files[REPORT_FILE])
            pages[path] = VisualizationType.HTML
        return pages


def _zip(data: ReportFiles) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for model_type, files in data.files.items():
            for name, text in files.items():
                member = zipfile.ZipInfo(f"{model_type}/{name}")  # with the fixed date 1980-01-01
                archive.writestr(member, text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
