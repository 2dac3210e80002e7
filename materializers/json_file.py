"""Materializer of dictionaries: one JSON file.

ZenML's own materializer of containers also reads a list of classes to import from the artifact store, among them one
that unpickles. This one reads JSON alone.
"""

import json
from typing import Any, ClassVar

from zenml.enums import ArtifactType

from materializers.single_file import SingleFileMaterializer

JSON_MATERIALIZER = "materializers.json_file.JsonMaterializer"
"""For `output_materializers` of steps: ZenML connects to its store when it looks up the name of a class."""


class JsonMaterializer(SingleFileMaterializer):
    """Stores a dictionary as JSON. It is not the default of its type: steps name it in `output_materializers`."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (dict,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    FILE_NAME: ClassVar[str] = "data.json"
    SKIP_REGISTRATION: ClassVar[bool] = True

    def encode(self, data: dict[str, Any]) -> bytes:
        """The JSON text; keys keep their order."""
        return json.dumps(data).encode()

    def decode(self, content: bytes) -> Any:
        """The dictionary."""
        return json.loads(content)

    def pages(self, data: dict[str, Any]) -> dict[str, str]:  # noqa: ARG002
        """None: the dashboard shows the metadata of the step."""
        return {}
