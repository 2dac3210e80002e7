"""The panels of the dashboards: title, unit of Grafana, queries with their legends, and what they show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "monitoring" / "dashboards"
RATE = "[$__rate_interval]"
_OBSERVED = "accidents:observed_priority:ratio1d"
_PREDICT = 'route="/v1/predict"'


@dataclass(frozen=True)
class Panel:
    """A panel with one or more queries.

    Attributes:
        title: heading.
        unit: unit of Grafana, such as `s`, `percentunit` or `short`.
        queries: legend by PromQL expression; `{{label}}` in a legend is replaced.
        description: what it shows, and what is normal.
    """

    title: str
    unit: str
    queries: Mapping[str, str]
    description: str


def _quantile(quantile: float, metric: str, selector: str = "", by: str = "") -> str:
    buckets = f"sum by (le{by}) (rate({metric}_bucket{{{selector}}}{RATE}))"
    return f"histogram_quantile({quantile}, {buckets})"


SERVICE = (
    Panel(
        "Requests by route",
        "reqps",
        {f"sum by (route) (rate(accidents_requests_total{RATE}))": "{{route}}"},
        "Requests a second. (none) stands for paths that do not exist.",
    ),
    Panel(
        "Responses by status",
        "reqps",
        {f"sum by (status) (rate(accidents_requests_total{RATE}))": "{{status}}"},
        "422 are invalid accidents, 429 callers above their rate, 503 what the service cannot take on now.",
    ),
    Panel(
        "Latency of a prediction",
        "s",
        {
            _quantile(0.5, "accidents_request_seconds", _PREDICT): "p50",
            _quantile(0.99, "accidents_request_seconds", _PREDICT): "p99",
        },
        "Time of POST /v1/predict, interpolated within buckets. Alert AccidentsLatency: p99 above 50 ms.",
    ),
    Panel(
        "Steps of a prediction",
        "s",
        {_quantile(0.5, "accidents_step_seconds", by=", step"): "{{step}}"},
        "Median time of validation, features and model.",
    ),
    Panel(
        "Share of server errors",
        "percentunit",
        {"accidents:server_errors:ratio5m": "status 500 and above"},
        "Of all requests. Alert AccidentsErrorRate: above 1 %.",
    ),
    Panel(
        "Refused before they reach a route",
        "reqps",
        {f"sum by (reason) (rate(accidents_refused_total{RATE}))": "{{reason}}"},
        "Missing and wrong keys, callers above their rate.",
    ),
    Panel(
        "Prediction log",
        "short",
        {"sum by (state) (accidents_log_entries)": "{{state}}"},
        "Predictions by state since the start. Alert AccidentsLogDrops: any dropped, failed or lost.",
    ),
    Panel(
        "Up, and database available",
        "short",
        {'up{job="accidents"}': "service", "min(accidents_database_available)": "database"},
        "1 while it answers.",
    ),
)

MODEL = (
    Panel(
        "Predictions by class",
        "reqps",
        {f"sum by (prediction) (rate(accidents_predictions_total{RATE}))": "{{prediction}}"},
        "1 is priority.",
    ),
    Panel(
        "Mean probability",
        "percentunit",
        {
            f"sum(rate(accidents_probability_sum{RATE})) / sum(rate(accidents_probability_count{RATE}))": "mean",
            'sum(increase(accidents_predictions_total{prediction="1"}[1h])) '
            "/ sum(increase(accidents_predictions_total[1h]))": "share predicted priority, 1 h",
        },
        "A step without a new model is a change of the accidents.",
    ),
    Panel(
        "Quantiles of the probability",
        "percentunit",
        {_quantile(quantile, "accidents_probability"): f"p{100 * quantile:.0f}" for quantile in (0.1, 0.5, 0.9)},
        "Interpolated within buckets of a tenth.",
    ),
    Panel(
        "Predicted and observed share of priority",
        "percentunit",
        {
            "accidents:predicted_priority:ratio1d": "mean probability",
            _OBSERVED: "outcomes",
            f"{_OBSERVED} - 3 * accidents:observed_priority:standard_error1d": "outcomes - 3 s.e.",
            f"{_OBSERVED} + 3 * accidents:observed_priority:standard_error1d": "outcomes + 3 s.e.",
        },
        "Of the accidents whose outcome became known in a day. Alert AccidentsCalibration: further apart than 3 "
        "standard errors and 3 points.",
    ),
    Panel(
        "Outcomes",
        "reqps",
        {f"sum by (outcome) (rate(accidents_outcome_probability_count{RATE}))": "{{outcome}}"},
        "Outcomes that became known (POST /v1/feedback); 1 is priority.",
    ),
    Panel(
        "Metrics on the test set",
        "short",
        {'accidents_model_metric{metric=~"roc_auc|f1|ece"}': "{{metric}}"},
        "Of the loaded model, from its training.",
    ),
    Panel(
        "Metrics of the last evaluation",
        "short",
        {'accidents_evaluation_metric{metric=~"roc_auc|f1|ece"}': "{{metric}}"},
        "Of the last POST /v1/evaluate; empty before the first.",
    ),
    Panel(
        "Age of the model",
        "s",
        {"time() - max(accidents_model_trained_timestamp_seconds)": "since its training"},
        "Alert AccidentsModelAge: above 400 days.",
    ),
    Panel(
        "Loaded model",
        "short",
        {"max by (name, version, level) (accidents_model_info)": "{{name}} {{version}} ({{level}})"},
        "1 is loaded, 0 was.",
    ),
    Panel(
        "Failed reloads",
        "short",
        {"max(accidents_model_reload_failed)": "failing now", "sum(accidents_model_reload_failures_total)": "so far"},
        "A model that does not load, or fails its smoke test, is rejected.",
    ),
)

DATA = (
    Panel(
        "Missing inputs of a prediction",
        "short",
        {"accidents:missing_inputs:per_prediction1h": "mean"},
        "Inputs that the model uses and the caller did not give, over an hour.",
    ),
    Panel(
        "Share of predictions without an input",
        "percentunit",
        {
            f"topk(10, sum by (field) (rate(accidents_missing_inputs_total{RATE})) "
            f"/ scalar(sum(rate(accidents_predictions_total{RATE}))))": "{{field}}"
        },
        "The ten inputs that are missing most often. A line that jumps is a changed form or interface.",
    ),
    Panel(
        "Invalid accidents",
        "percentunit",
        {
            f"sum(rate(accidents_invalid_accidents_total{RATE})) / (sum(rate(accidents_invalid_accidents_total{RATE})) "
            f"+ sum(rate(accidents_predictions_total{RATE})))": "of all accidents"
        },
        "Unknown codes, impossible dates, wrong types.",
    ),
    Panel(
        "Share of drifted features",
        "percentunit",
        {"max(accidents_drift_share)": "share"},
        "Of the last --monitoring of the loaded model; without a line before. Alert AccidentsDrift: above 30 %.",
    ),
)

RESOURCES = (
    Panel(
        "Processors used by a worker",
        "percentunit",
        {
            f"sum(rate(accidents_cpu_seconds_total{RATE})) / sum(accidents_workers)": "now",
            "accidents:cpu:ratio5m": "5 minutes",
        },
        "Alert AccidentsSaturation: above 90 % of one processor.",
    ),
    Panel(
        "Memory", "bytes", {"sum(accidents_resident_memory_bytes)": "all workers"}, "Resident memory of the workers."
    ),
    Panel("Workers", "short", {"sum(accidents_workers)": "workers"}, "Processes that answer."),
    Panel(
        "Open files", "short", {"sum(accidents_open_files)": "all workers"}, "Connections included; a slope is a leak."
    ),
    Panel(
        "Free space",
        "percentunit",
        {"min by (folder) (accidents:disk_free:ratio)": "{{folder}}"},
        "Of the disks of database and temporary files. Alert AccidentsDisk: below 10 %.",
    ),
    Panel(
        "Oldest prediction that waits for the log",
        "s",
        {"clamp_min(time() - min(accidents_log_oldest_waiting_timestamp_seconds), 0)": "waits since"},
        "0 while none waits.",
    ),
)

DASHBOARDS: Mapping[str, tuple[str, tuple[Panel, ...]]] = {
    "service": ("Accidents: service", SERVICE),
    "model": ("Accidents: model", MODEL),
    "data": ("Accidents: data", DATA),
    "resources": ("Accidents: resources", RESOURCES),
}
"""Title and panels by name of the file in `monitoring/dashboards`."""
