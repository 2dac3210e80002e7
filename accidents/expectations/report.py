"""The page that shows the outcome of all expectations; it loads nothing from anywhere."""

from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from accidents.columns import ATTRIBUTION

_TEMPLATES = Path(__file__).with_name("templates")


def render(results: pd.DataFrame, source: str) -> str:
    """Render the page.

    Args:
        results: One row an expectation, as in `Checked.results`.
        source: Where the data come from, in words; may be empty.
    """
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("expectations.html.j2").render(
        attribution=ATTRIBUTION,
        source=source,
        total=len(results),
        broken=results[~results["success"]].to_dict("records"),
        blocking=int((~results["success"] & results["blocking"]).sum()),
        years={
            year: {topic: rows.to_dict("records") for topic, rows in of_year.groupby("topic", sort=False)}
            for year, of_year in results.groupby("year")
        },
    )
