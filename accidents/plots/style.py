"""Style of all figures: colours, fonts, axes, source note, and export to small SVG and PNG.

The series colours are those of Okabe and Ito, which are safe for colour-blind readers; series differ in line style,
too.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accidents.columns import ATTRIBUTION
from accidents.evaluation.results import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#24292f", "#67707b", "#dfe3e8"
BLUE, ORANGE, GREEN, PINK, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"
SERIES_STYLES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-"},
    {"color": ORANGE, "linestyle": (0, (5, 1.5))},
    {"color": GREEN, "linestyle": (0, (3, 1, 1, 1))},
    {"color": PINK, "linestyle": (0, (1.5, 1))},
    {"color": SKY, "linestyle": (0, (7, 1, 1, 1))},
)
"""Line properties of the first, second, … series."""

_TITLE_SIZE, _TEXT_SIZE, _TICK_SIZE, _SMALL_SIZE = 10.5, 9, 8, 6.5  # points
_CHARACTERS_PER_INCH = 19  # of the smallest font
_PANEL_GAP = 0.16  # of the width of axes without tick labels between them, so that their end ticks stay apart


def source_note(*, synthetic: bool) -> str:
    """Return the line that names the source of the data and marks synthetic accidents."""
    data = "Synthetic accidents, drawn from frequencies counted in" if synthetic else "Data"
    return f"{data}: {ATTRIBUTION}"


def subplots(
    title: str,
    note: str,
    *,
    size: tuple[float, float] = (5.4, 4.1),
    columns: int = 1,
    heights: tuple[float, ...] = (1,),
    share_y: bool = False,
) -> tuple[Figure, list[Axes]]:
    """Create a figure with a title, a source note and styled, empty axes.

    Args:
        title: above the axes.
        note: from `source_note`, below them.
        size: width and height in inches.
        columns: number of axes in a row.
        heights: relative heights of the rows of axes.
        share_y: whether the axes of a row share the vertical scale.

    Returns:
        The figure, and its axes row by row.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    space = _PANEL_GAP if share_y else 0.03
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.06, wspace=space))
    figure.suptitle(title, x=0.015, ha="left", fontsize=_TITLE_SIZE, fontweight="bold", color=INK)
    footer = textwrap.fill(note, int(size[0] * _CHARACTERS_PER_INCH))
    figure.supxlabel(footer, x=0.015, ha="left", fontsize=_SMALL_SIZE, color=MUTED)
    grid = figure.subplots(
        len(heights), columns, squeeze=False, sharey="row" if share_y else False, height_ratios=heights
    )
    axes = list(grid.ravel())
    for panel in axes:
        _style_axes(panel)
    return figure, axes


def _style_axes(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelcolor=INK, labelsize=_TICK_SIZE, length=0, pad=4, bottom=False, left=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=INK, fontsize=_TEXT_SIZE)


def unit_axis(axes: Axes, *directions: str) -> None:
    """Set the axes `x`, `y` or both to 0 to 1 with ticks at the quarters."""
    for direction in directions:
        axes.set(**{f"{direction}lim": (-0.01, 1.01), f"{direction}ticks": (0, 0.25, 0.5, 0.75, 1)})
        axes.set(**{f"{direction}ticklabels": ("0", "0.25", "0.5", "0.75", "1")})


def label_rows(axes: Axes, labels: Sequence[str], size: float) -> None:
    """Label rows from the top down, in letters of `size` points."""
    axes.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.4, -0.6))
    axes.tick_params(axis="y", labelsize=size)
    axes.grid(axis="y", visible=False)


def interval_dots(axes: Axes, values: Iterable[tuple[float | None, Interval | None]], **style: Any) -> None:
    """Plot each value as a dot with its interval, one a row; those that are not defined are left out."""
    defined = [(row, value, *ends) for row, (value, ends) in enumerate(values) if value is not None and ends]
    if defined:
        rows, middle, low, high = zip(*defined, strict=True)
        axes.hlines(rows, low, high, color=BLUE, linewidth=2, alpha=0.35)
        axes.plot(middle, rows, "o", color=BLUE, **style)


def limit_ticks(axis: Axis, most: int = 3) -> None:
    """Limit the ticks of an axis to `most` intervals, for small panels."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(most))


def legend_above(axes: Axes, columns: int) -> None:
    """Place the legend between title and axes, where it covers nothing."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, frameon=False, labelcolor=INK,
        fontsize=_TICK_SIZE, handlelength=2.2, columnspacing=1.4, borderaxespad=0.2,
    )  # fmt: skip


def sequential_colormap() -> Colormap:
    """Return a colormap from almost white to dark blue; no value is white, which marks missing ones."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("sequential", ("#f3f7fb", "#9ecae8", BLUE, "#00324f"))


def add_colorbar(drawn: Any, axes: Axes, label: str, *, beside: bool = False) -> None:
    """Add a colour bar below the axes, or beside them."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import MaxNLocator

    place: dict[str, Any] = {"location": "right", "aspect": 14} if beside else {"location": "bottom", "aspect": 60}
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.9, pad=0.03, **place)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=_TICK_SIZE - 1, length=0)
    if isinstance(drawn.norm, LogNorm):
        powers = [10**power for power in range(7) if drawn.norm.vmin <= 10**power <= drawn.norm.vmax]
        bar.set_ticks(powers, labels=[f"{power:,}" for power in powers])
        bar.minorticks_off()
    else:
        bar.locator = MaxNLocator(4)
        bar.update_ticks()
    bar.set_label(label, color=INK, fontsize=_TICK_SIZE)


@dataclass(frozen=True)
class RenderedFigure:
    """A figure as SVG: its title, and the element from `to_svg`."""

    title: str
    svg: str

    @property
    def standalone_svg(self) -> str:
        """The content of an SVG file, on white, in the size of the figure."""
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.svg)
        size = f' width="{box[1]}pt" height="{box[2]}pt"' if box else ""
        return self.svg.replace("<svg", f'<svg{size} style="background:#fff"', 1)


def render_figure(figure: Figure) -> RenderedFigure:
    """Render a figure once, for HTML reports and for files."""
    return RenderedFigure(figure.get_suptitle(), to_svg(figure))


def to_svg(figure: Figure) -> str:
    """Convert a figure to an SVG element: text stays text, coordinates have two decimals.

    The same figure gives the same bytes. The element has a viewBox and no size, so that the page sets its width.
    """
    from matplotlib import rc_context

    file = io.StringIO()
    _apply_layout(figure)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "accidents"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, dpi=140, transparent=True)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    return re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)


def _apply_layout(figure: Figure) -> None:
    """Compute the layout once for the current size; else each export computes it again."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)


def to_png(figure: Figure, *, dpi: int = 110) -> bytes:
    """Convert a figure to PNG on white."""
    file = io.BytesIO()
    _apply_layout(figure)
    figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()
