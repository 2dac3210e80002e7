"""The queries of the dashboards, read from their JSON files and asked of a Prometheus."""

import json
import re
from dataclasses import dataclass
from typing import Any

import requests

from scripts.dashboards.panels import FOLDER

_TIMEOUT = 30


@dataclass(frozen=True)
class Query:
    """A query of a panel; `legend` has labels in double braces."""

    panel: str
    unit: str
    expression: str
    legend: str


@dataclass(frozen=True)
class Series:
    """One line of a panel: its legend, Unix times and values."""

    legend: str
    times: list[float]
    values: list[float]


def read_queries(dashboard: str, rate_interval: str) -> list[Query]:
    """The queries of a dashboard, with the interval that Grafana would put in."""
    content = json.loads((FOLDER / f"{dashboard}.json").read_text(encoding="utf-8"))
    return [
        Query(
            panel["title"],
            panel["fieldConfig"]["defaults"]["unit"],
            target["expr"].replace("$__rate_interval", rate_interval),
            target["legendFormat"],
        )
        for panel in content["panels"]
        for target in panel["targets"]
    ]


def query_range(prometheus: str, query: Query, start: float, end: float, step: float) -> list[Series]:
    """The lines of a query from `start` to `end` (Unix times) with a value every `step` seconds.

    Raises:
        requests.RequestException: Prometheus does not answer, or refuses the query.
    """
    window: dict[str, Any] = {"query": query.expression, "start": start, "end": end, "step": step}
    with requests.Session() as session:
        session.trust_env = False  # no proxy for this machine
        response = session.get(f"{prometheus}/api/v1/query_range", params=window, timeout=_TIMEOUT)
    response.raise_for_status()
    return [
        Series(
            re.sub(r"{{(\w+)}}", lambda label, labels=one["metric"]: labels.get(label[1], ""), query.legend),
            [float(time) for time, _ in one["values"]],
            [float(value) for _, value in one["values"]],
        )
        for one in response.json()["data"]["result"]
    ]
