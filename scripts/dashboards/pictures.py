"""Draw the dashboards from a running Prometheus, where there is no Grafana: one PNG a dashboard.

python -m scripts.dashboards.pictures --prometheus http://127.0.0.1:9090 --minutes 10 --output docs/images
"""

import argparse
import time
from datetime import UTC, datetime
from itertools import cycle, groupby
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.plots.style import SERIES_STYLES, limit_ticks, subplots
from scripts.dashboards.panels import DASHBOARDS
from scripts.dashboards.queries import Query, query_range, read_queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS, _WIDTH, _ROW_HEIGHT, _DPI = 2, 9.5, 2.1, 110  # inches
_POINTS = 200
_MAX_LEGEND = 10


def draw(dashboard: str, prometheus: str, minutes: float, file: Path) -> None:
    """Draw the panels of a dashboard over the last minutes."""
    end = time.time()
    start, step = end - 60 * minutes, max(60 * minutes / _POINTS, 1.0)
    panels = [[*queries] for _, queries in groupby(read_queries(dashboard, "1m"), lambda query: query.panel)]
    rows = -(-len(panels) // _COLUMNS)
    figure, axes = subplots(
        DASHBOARDS[dashboard][0],
        f"Queries of monitoring/dashboards/{dashboard}.json, asked of Prometheus over {minutes:g} minutes of simulated "
        "traffic (synthetic accidents); times in UTC.",
        size=(_WIDTH, 0.6 + _ROW_HEIGHT * rows),
        columns=_COLUMNS,
        heights=(1,) * rows,
    )
    for panel, queries in zip(axes, panels, strict=False):
        _draw_panel(panel, queries, prometheus, (start, end, step))
    for unused in axes[len(panels) :]:
        unused.set_visible(False)
    figure.savefig(file, dpi=_DPI)


def _draw_panel(axes: "Axes", queries: list[Query], prometheus: str, window: tuple[float, float, float]) -> None:
    from matplotlib.dates import DateFormatter
    from matplotlib.ticker import EngFormatter, PercentFormatter

    styles = cycle(SERIES_STYLES)
    for query in queries:
        for series in query_range(prometheus, query, *window):
            times = [datetime.fromtimestamp(at, UTC) for at in series.times]
            axes.plot(times, series.values, label=series.legend, linewidth=1.4, **next(styles))  # type: ignore[arg-type]
    axes.set_title(queries[0].panel, loc="left", fontsize=9)
    axes.set_xlim(*(datetime.fromtimestamp(at, UTC) for at in window[:2]))  # type: ignore[arg-type]
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    limit_ticks(axes.yaxis, 4)
    formatters = {"percentunit": PercentFormatter(1), "s": EngFormatter("s"), "bytes": EngFormatter("B")}
    if queries[0].unit in formatters:
        axes.yaxis.set_major_formatter(formatters[queries[0].unit])
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[:_MAX_LEGEND], labels[:_MAX_LEGEND], fontsize=6, loc="best", framealpha=0.7, edgecolor="none", ncols=2
    )


def main() -> None:
    """Draw all dashboards."""
    parser = argparse.ArgumentParser(description="Draw the dashboards from a running Prometheus.")
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its URL")
    parser.add_argument("--minutes", type=float, default=10, help="how far back")
    parser.add_argument("--output", type=Path, default=Path("docs/images"), help="folder")
    arguments = parser.parse_args()
    for dashboard in DASHBOARDS:
        file = arguments.output / f"monitoring_{dashboard}.png"
        draw(dashboard, arguments.prometheus, arguments.minutes, file)
        print(file)


if __name__ == "__main__":
    main()
