"""Dictionaries as artifacts: JSON, from which nothing but data is ever read."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zenml.materializers.cloudpickle_materializer import CloudpickleMaterializer

from benchmarks.materializers import local_store
from materializers.json_file import JsonMaterializer

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(), values))
def test_a_dictionary_comes_back_as_it_was(data: dict[str, Any]) -> None:
    materializer = JsonMaterializer(uri="unused")
    assert materializer.decode(materializer.encode(data)) == data


def test_classes_that_the_store_names_are_not_imported(tmp_path: Path) -> None:
    """ZenML's own materializer of containers loads them where there is no data file."""
    materializer = JsonMaterializer(uri=str(tmp_path), artifact_store=local_store(tmp_path))
    materializer.save({"f1": 0.7})
    (tmp_path / "data.json").unlink()
    element = {
        "path": str(tmp_path / "0"),
        "type": {"module": "builtins", "attribute": "object", "type": "builtin"},
        "materializer": {
            "module": CloudpickleMaterializer.__module__,
            "attribute": CloudpickleMaterializer.__name__,
            "type": "distribution_package",
        },
    }
    (tmp_path / "metadata.json").write_text(json.dumps([element]))
    with pytest.raises(FileNotFoundError):
        materializer.load(dict)
