"""Templates to text: the environment of jinja2, how numbers are written, how pictures are put into a page."""

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from accidents.evaluation.results import Interval
from accidents.plots.style import BLUE, GRID, INK, MUTED, Picture


def render(template: str, **values: Any) -> str:
    """Fill one of the templates beside this module; every value that it names has to be given."""
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
    environment.filters.update(number=number, limits=limits, percent=percent, picture=picture)
    return environment


def number(value: float | None, digits: int = 3) -> str:
    """A figure with a fixed number of digits, or that it is not defined."""
    return "not defined" if value is None else f"{value:.{digits}f}"


def limits(interval: Interval | None, digits: int = 3) -> str:
    """An interval such as `0.848 to 0.860`; empty where there is none."""
    return "" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def percent(value: float | None) -> str:
    """A share in per cent."""
    return "not defined" if value is None else f"{value:.0%}"


def picture(drawn: Picture) -> Markup:
    """A picture as an SVG element whose ink and first colour follow those of the page, light or dark."""
    svg = drawn.svg
    for colour, variable in ((INK, "ink"), (MUTED, "muted"), (GRID, "grid"), (BLUE, "accent")):
        svg = svg.replace(colour, f"var(--{variable})")
    return Markup(svg)  # noqa: S704 - drawn here, no text of users
