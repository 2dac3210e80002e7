"""What the steps of monitoring share: comparison, report, pictures, metadata."""

from functools import partial
from typing import Any

from zenml.types import HTMLString

from accidents.bundle import Bundle
from accidents.bundle.reference import Reference
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.monitoring import MonitoringSettings
from accidents.errors import ModelError
from accidents.ingestion import ingest
from accidents.monitoring.monitor import Window, monitor
from accidents.monitoring.reference import season_profile
from accidents.monitoring.summary import figures, summarise
from accidents.report.drift_pictures import drift_pictures
from accidents.report.monitoring_report import monitoring_report
from accidents.sources.resolve import resolve_editions
from steps.metadata import log_step_metadata

_NO_PICTURES = "<p>No pictures: Evidently is not installed (pip install '.[monitoring]'), or is to draw none.</p>"


def compare_window(
    model: Bundle,
    window: Window,
    source: str,
    settings: MonitoringSettings,
    ingestion: IngestionSettings,
    *,
    synthetic: bool,
) -> tuple[dict[str, Any], HTMLString, HTMLString]:
    """Compare a window with the reference of a model, and describe the result.

    Args:
        model: the bundle.
        window: the accidents.
        source: where they come from, as typed.
        settings: of the monitoring.
        ingestion: how the source of the season profile is read.
        synthetic: whether the accidents are synthetic.

    Returns:
        The result as JSON, its report, and pictures of the columns with the largest effects.

    Raises:
        ModelError: the model has no reference.
        DataError: too few accidents.
    """
    if model.reference is None:
        raise ModelError(
            f"{model.model_type}, trained {model.trained_at or 'at an unknown time'}, has no reference to compare "
            "with: it is of a version before monitoring; train it again"
        )
    profile = partial(_season_profile, model.level, settings.season.profile, ingestion)
    result = monitor(window, model.reference, model.level, settings, profile)
    summary = summarise(result, source) | {"model": model.model_type, "trained_at": model.trained_at}
    pictures = drift_pictures(result.inputs, window.arrays, model.reference, model.level, settings.pictures)
    log_step_metadata({"verdict": result.verdict, **figures(summary)})
    print(result.verdict, flush=True)
    report = monitoring_report(result, model, source, synthetic=synthetic)
    return summary, HTMLString(report), HTMLString(pictures or _NO_PICTURES)


def _season_profile(level: str, location: str, ingestion: IngestionSettings) -> Reference:
    source = ingestion.source.model_copy(update={"location": location, "years": None})
    return season_profile(ingest(resolve_editions(source), ingestion).accidents, level)
