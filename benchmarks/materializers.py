"""Time to write and read a feature frame as an artifact, compared with the pandas materializer of ZenML.

    python -m benchmarks.materializers [--source FOLDER] [--repeats N]

Both write the same frame in turn to a local artifact store, with the metadata and the preview that go with it. Printed
are medians in seconds, and the median of the ratios pair by pair.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
from zenml.artifact_stores import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType
from zenml.integrations.pandas.materializers.pandas_materializer import PandasMaterializer

from accidents.features import feature_frame
from benchmarks.common import argument_parser, load_accidents
from materializers.frame import FrameMaterializer


def main() -> None:
    """Print the times of both and their ratio."""
    parser = argument_parser(__doc__)
    parser.add_argument("--source", default="sample")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    frame = feature_frame(load_accidents(options.source))
    print(f"{options.source}: {len(frame):,} rows, {frame.shape[1]} columns")
    with tempfile.TemporaryDirectory() as folder:
        store = local_store(Path(folder))
        own_materializer = FrameMaterializer(uri=f"{folder}/own_materializer", artifact_store=store)
        zenml_materializer = PandasMaterializer(uri=f"{folder}/zenml_materializer", artifact_store=store)
        for materializer in (own_materializer, zenml_materializer):
            Path(materializer.uri).mkdir()
        _print_times("write", lambda m: _save(m, frame), own_materializer, zenml_materializer, options.repeats)
        _print_times("read", lambda m: m.load(pd.DataFrame), own_materializer, zenml_materializer, options.repeats)


def _save(materializer: Any, frame: pd.DataFrame) -> None:
    """The calls of ZenML when a step returns a data frame."""
    materializer.save(frame)
    materializer.save_visualizations(frame)
    materializer.extract_full_metadata(frame)
    materializer.compute_content_hash(frame)


def _print_times(
    name: str, act: Callable[[Any], Any], own_materializer: Any, zenml_materializer: Any, repeats: int
) -> None:
    pairs = [(_seconds(act, own_materializer), _seconds(act, zenml_materializer)) for _ in range(repeats + 1)][1:]
    own, other = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(other / own for own, other in pairs)
    print(f"{name:<6} {own:.3f} s, ZenML's own {other:.3f} s: {ratio:.1f} times as long")


def _seconds(act: Callable[[Any], Any], materializer: Any) -> float:
    started = time.perf_counter()
    act(materializer)
    return time.perf_counter() - started


def local_store(folder: Path) -> LocalArtifactStore:
    """An artifact store in a folder, which needs no ZenML database."""
    now = datetime.now(UTC)
    return LocalArtifactStore(
        name="local",
        id=uuid4(),
        config=LocalArtifactStoreConfig(path=str(folder)),
        flavor="local",
        type=StackComponentType.ARTIFACT_STORE,
        user=uuid4(),
        created=now,
        updated=now,
    )


if __name__ == "__main__":
    main()
