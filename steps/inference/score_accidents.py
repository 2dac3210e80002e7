"""Batch inference in constant memory."""

from dataclasses import asdict
from typing import Annotated, Any

from zenml import step

import materializers.bundle  # noqa: F401  # loads the model
from accidents.bundle import Bundle
from accidents.configuration.engine import LOCAL_ENGINE, EngineSettings
from accidents.configuration.inference import InferenceSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.engine import connect
from accidents.inference import batch_scoring
from materializers.json_file import JSON_MATERIALIZER
from steps.metadata import log_step_metadata
from steps.validation import validate_frames


@step(enable_cache=False, output_materializers={"scoring": JSON_MATERIALIZER})
@validate_frames()
def score_accidents(
    model: Bundle,
    source: str,
    target: str,
    settings: InferenceSettings,
    ingestion: IngestionSettings,
    engine: EngineSettings = LOCAL_ENGINE,
) -> Annotated[dict[str, Any], "scoring"]:
    """Score the accidents of `source` and write the file `target`; never cached.

    Args:
        model: the bundle.
        source: a folder of BAAC files, or one file of accidents.
        target: output file, `.csv`, `.parquet` or `.jsonl`.
        settings: number of accidents in memory at a time.
        ingestion: limits of faulty data in the files of a folder.
        engine: where they are scored.
    """
    with connect(engine) as connected:
        scoring = batch_scoring.score_accidents(
            source, target, model, settings, limits=ingestion.limits, engine=connected
        )
    summary = asdict(scoring)
    log_step_metadata({name: value for name, value in summary.items() if value is not None})
    return summary
