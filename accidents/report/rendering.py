"""Jinja environment of the report templates, with filters for numbers and figures."""

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from accidents.evaluation.results import Interval
from accidents.plots.style import BLUE, GRID, INK, MUTED, RenderedFigure


def render(template: str, **values: Any) -> str:
    """Render a template of this package; a value that the template uses and that is not given is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(("html", "html.j2")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, interval=_interval, percent=_percent, inline_svg=_inline_svg)
    return environment


def _number(value: float | None, digits: int = 3) -> str:
    return "not defined" if value is None else f"{value:.{digits}f}"


def _interval(ends: Interval | None, digits: int = 3) -> str:
    return "" if ends is None else f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}"


def _percent(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.0%}"


def _inline_svg(figure: RenderedFigure) -> Markup:
    """Return the SVG element with its text, grid and first series in the colours of the page, light or dark."""
    svg = figure.svg
    for colour, variable in ((INK, "ink"), (MUTED, "muted"), (GRID, "grid"), (BLUE, "accent")):
        svg = svg.replace(colour, f"var(--{variable})")
    return Markup(svg)  # noqa: S704 - drawn here, no text of users
