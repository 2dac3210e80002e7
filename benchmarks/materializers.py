"""How long a feature frame takes to write and read as an artifact, beside ZenML's own materializer.

    python -m benchmarks.materializers [--source FOLDER] [--repeats N]

Both write the same frame in turn to a local artifact store, with the metadata and the preview that go with it. Printed
are medians in seconds, and the median of the ratios pair by pair.
"""

import argparse
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
from benchmarks.modelling import accidents_of
from materializers.frame import FrameMaterializer


def main() -> None:
    """Print the times of both and their ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--source", default="sample")
    options.add_argument("--repeats", type=int, default=7)
    given = options.parse_args()
    frame = feature_frame(accidents_of(given.source))
    print(f"{given.source}: {len(frame):,} rows, {frame.shape[1]} columns")
    with tempfile.TemporaryDirectory() as folder:
        store = local_store(Path(folder))
        ours = FrameMaterializer(uri=f"{folder}/ours", artifact_store=store)
        theirs = PandasMaterializer(uri=f"{folder}/theirs", artifact_store=store)
        for materializer in (ours, theirs):
            Path(materializer.uri).mkdir()
        _compare("write", lambda m: _write(m, frame), ours, theirs, given.repeats)
        _compare("read", lambda m: m.load(pd.DataFrame), ours, theirs, given.repeats)


def _write(materializer: Any, frame: pd.DataFrame) -> None:
    """What ZenML asks of a materializer when a step returns a frame."""
    materializer.save(frame)
    materializer.save_visualizations(frame)
    materializer.extract_full_metadata(frame)
    materializer.compute_content_hash(frame)


def _compare(name: str, act: Callable[[Any], Any], ours: Any, theirs: Any, repeats: int) -> None:
    pairs = [(_seconds(act, ours), _seconds(act, theirs)) for _ in range(repeats + 1)][1:]
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
