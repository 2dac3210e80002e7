"""Materializer of model reports: a zip archive of all files, and each report as a preview page."""

import io
import zipfile
from typing import Any, ClassVar

from zenml.enums import ArtifactType

from accidents.report.report_files import REPORT_FILE, ReportFiles
from materializers.single_file import SingleFileMaterializer


class ReportsMaterializer(SingleFileMaterializer):
    """Stores reports as a reproducible zip archive with a folder for each model type."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ReportFiles,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA_ANALYSIS
    FILE_NAME: ClassVar[str] = "reports.zip"

    def encode(self, data: ReportFiles) -> bytes:
        """The archive."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for model_type, files in data.files.items():
                for name, text in files.items():
                    member = zipfile.ZipInfo(f"{model_type}/{name}")  # with the fixed date 1980-01-01
                    archive.writestr(member, text, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    def decode(self, content: bytes) -> ReportFiles:
        """The reports in the archive."""
        files: dict[str, dict[str, str]] = {}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for path in archive.namelist():
                model_type, _, name = path.partition("/")
                files.setdefault(model_type, {})[name] = archive.read(path).decode()
        return ReportFiles(files)

    def extract_metadata(self, data: ReportFiles) -> dict[str, Any]:
        """Number of files by model type."""
        return {"files": {model_type: len(files) for model_type, files in data.files.items()}}

    def pages(self, data: ReportFiles) -> dict[str, str]:
        """The report of each model."""
        return {f"{model_type}.html": files[REPORT_FILE] for model_type, files in data.files.items()}
