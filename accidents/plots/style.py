"""The style of every picture: colours, type, axes, the line that names the source, and small SVG and PNG files.

The series colours are those of Okabe and Ito, which people of every colour vision can tell apart; series differ in
line style, too.
"""

from __future__ import annotations

import io
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accidents.columns import ATTRIBUTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#24292f", "#67707b", "#dfe3e8"
BLUE, ORANGE, GREEN, PINK, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"
SERIES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-"},
    {"color": ORANGE, "linestyle": (0, (5, 1.5))},
    {"color": GREEN, "linestyle": (0, (3, 1, 1, 1))},
    {"color": PINK, "linestyle": (0, (1.5, 1))},
    {"color": SKY, "linestyle": (0, (7, 1, 1, 1))},
)
"""Line properties of the first, second, … series; a sixth looks like the first."""

_TITLE, _TEXT, _TICKS, _SMALL = 10.5, 9, 8, 6.5  # points
_CHARACTERS_AN_INCH = 19  # of the smallest type
_APART = 0.16  # of their width: without names between axes, the last value of one nears the first of the next


def credit(*, synthetic: bool) -> str:
    """The line that names the source of what is shown, and says so where the accidents are synthetic."""
    return f"{'Synthetic accidents, drawn from frequencies counted in' if synthetic else 'Data'}: {ATTRIBUTION}"


def canvas(
    title: str,
    source: str,
    *,
    size: tuple[float, float] = (5.4, 4.1),
    columns: int = 1,
    heights: tuple[float, ...] = (1,),
    share_y: bool = False,
) -> tuple[Figure, list[Axes]]:
    """A figure with styled, empty axes, row by row.

    Args:
        title: what is shown, above the axes.
        source: what `credit` gives, below them.
        size: width and height in inches.
        columns: axes beside each other.
        heights: relative heights of the rows of axes.
        share_y: whether axes beside each other have one vertical scale.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    space = _APART if share_y else 0.03
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.06, wspace=space))
    figure.suptitle(title, x=0.015, ha="left", fontsize=_TITLE, fontweight="bold", color=INK)
    footer = textwrap.fill(source, int(size[0] * _CHARACTERS_AN_INCH))
    figure.supxlabel(footer, x=0.015, ha="left", fontsize=_SMALL, color=MUTED)
    grid = figure.subplots(
        len(heights), columns, squeeze=False, sharey="row" if share_y else False, height_ratios=heights
    )
    axes = list(grid.ravel())
    for each in axes:
        _quieten(each)
    return figure, axes


def _quieten(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=_TICKS, length=0, pad=4)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=INK, fontsize=_TEXT)


def unit_axis(axes: Axes, *directions: str) -> None:
    """Let the axes `x`, `y` or both run from 0 to 1 with quarters marked."""
    for direction in directions:
        axes.set(**{f"{direction}lim": (-0.01, 1.01), f"{direction}ticks": (0, 0.25, 0.5, 0.75, 1)})
        axes.set(**{f"{direction}ticklabels": ("0", "0.25", "0.5", "0.75", "1")})


def few_ticks(axes: Axes, *directions: str, most: int = 3) -> None:
    """Mark few values of the axes `x`, `y` or both, for small panels: at most `most` steps between them."""
    from matplotlib.ticker import MaxNLocator

    for direction in directions:
        getattr(axes, f"{direction}axis").set_major_locator(MaxNLocator(most))


def legend_above(axes: Axes, columns: int) -> None:
    """Put the names of the series between title and axes, where they cover nothing."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, frameon=False, fontsize=_TICKS, labelcolor=INK,
        handlelength=2.2, columnspacing=1.4, borderaxespad=0.2,
    )  # fmt: skip


def sequential() -> Colormap:
    """From almost white to dark blue, for quantities that begin at nothing; no value is white."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("sequential", ("#f3f7fb", "#9ecae8", BLUE, "#00324f"))


def colour_bar(figure: Figure, drawn: Any, axes: Axes, label: str, *, beside: bool = False) -> None:
    """Say below the axes, or beside them, which colour stands for which quantity."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import MaxNLocator

    place: dict[str, Any] = {"location": "right", "aspect": 14} if beside else {"location": "bottom", "aspect": 60}
    bar = figure.colorbar(drawn, ax=axes, shrink=0.9, pad=0.03, **place)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=_TICKS - 1, length=0)
    if isinstance(drawn.norm, LogNorm):
        powers = [10**power for power in range(7) if drawn.norm.vmin <= 10**power <= drawn.norm.vmax]
        bar.set_ticks(powers, labels=[f"{power:,}" for power in powers])
        bar.minorticks_off()
    else:
        bar.locator = MaxNLocator(4)
        bar.update_ticks()
    bar.set_label(label, color=INK, fontsize=_TICKS)


@dataclass(frozen=True)
class Picture:
    """A figure that has been drawn: its title, and the SVG element that `to_svg` gives."""

    title: str
    svg: str

    @property
    def file(self) -> str:
        """The picture as an SVG file of its own, on white, as large as its figure."""
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.svg)
        size = f' width="{box[1]}pt" height="{box[2]}pt"' if box else ""
        return self.svg.replace("<svg", f'<svg{size} style="background:#fff"', 1)


def draw(figure: Figure) -> Picture:
    """Draw a figure once, for pages and for files."""
    return Picture(figure.get_suptitle(), to_svg(figure))


def to_svg(figure: Figure) -> str:
    """The figure as an SVG element: text stays text, coordinates have two decimals.

    The same figure gives the same bytes. There is a viewBox and no size, so that a page decides how wide it is.
    """
    from matplotlib import rc_context

    file = io.StringIO()
    _arrange(figure)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "accidents"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, dpi=140, transparent=True)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    return re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)


def _arrange(figure: Figure) -> None:
    """Give everything its place, for good and for this size; else each saving goes through the figure twice more."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)


def to_png(figure: Figure, *, dpi: int = 110) -> bytes:
    """The figure as a PNG on white."""
    file = io.BytesIO()
    _arrange(figure)
    figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()
