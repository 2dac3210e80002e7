"""Layout of figures: a grid of axes between title and source note, with room for labels, legends and texts.

The layout engines of matplotlib measure every label several times before it is drawn. Here each is measured once, by
the renderer that draws it. Colour bars are beyond this layout: a figure with one has the engine of matplotlib.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

Floats = npt.NDArray[np.float64]

_PAD = 0.06  # inches around axes, title and source note
_ROUNDS = 3  # texts inside axes move as their axes change in size
_FIRST_GUESS = {"left": 0.16, "bottom": 0.14, "right": 0.96, "top": 0.84}  # texts are measured in these axes


@dataclass(frozen=True)
class PanelGrid:
    """Axes and texts of a figure.

    Attributes:
        rows: the axes, row by row.
        heights: relative heights of the rows.
        gap: least space between axes side by side, as a share of the width of the figure divided by the columns.
        title: above the axes.
        note: below them.
    """

    rows: Sequence[Sequence[Axes]]
    heights: Sequence[float]
    gap: float
    title: Text
    note: Text


class PanelFigure(Figure):
    """A figure that arranges a grid of axes each time it is drawn; without one, it is as matplotlib's."""

    panels: PanelGrid | None = None

    def arrange(self, panels: PanelGrid) -> None:
        """Arrange these axes from now on."""
        self.panels = panels
        self.subplots_adjust(**_FIRST_GUESS)

    def use_engine(self) -> None:
        """Leave the arrangement to matplotlib."""
        space = self.panels.gap if self.panels else 0.0
        self.panels = None
        self.set_layout_engine(ConstrainedLayoutEngine(h_pad=_PAD, w_pad=_PAD, wspace=space))

    def draw(self, renderer: RendererBase) -> None:
        """Arrange and draw the figure."""
        if self.panels is not None:
            _place(self, self.panels, renderer)
        super().draw(renderer)


@dataclass(frozen=True)
class _Surroundings:
    """What lies around the frame of axes, in pixels; sides are left, bottom, right, top.

    Attributes:
        labels: width of labels and legend at each side.
        texts: for each text, its anchor as a share of width and height, and how far it extends from there.
    """

    labels: Floats
    texts: list[tuple[Floats, Floats]]

    def margins(self, size: Floats) -> Floats:
        """Room needed at each side of axes of this width and height."""
        needed = self.labels
        for anchor, extent in self.texts:
            needed = np.maximum(needed, extent - np.concatenate([anchor * size, (1 - anchor) * size]))
        return needed


def _place(figure: Figure, panels: PanelGrid, renderer: RendererBase) -> None:
    """Give all axes one width and, row by row, heights in their proportion, as large as labels and texts allow."""
    page, pad = np.array([figure.bbox.width, figure.bbox.height]), _PAD * figure.dpi
    below, above = (text.get_window_extent(renderer).height + 2 * pad for text in (panels.note, panels.title))
    panels.note.set_y(pad / page[1])
    panels.title.set_y(1 - pad / page[1])
    around = [[_measure(axes, renderer) for axes in row] for row in panels.rows]
    columns, shares = len(around[0]), np.array(panels.heights) / sum(panels.heights)
    space = np.full((columns, 2), max(pad, panels.gap * page[0] / columns / 2))
    space[0, 0] = space[-1, 1] = pad
    width, heights = page[0] / columns, page[1] * shares
    for _ in range(_ROUNDS):
        margins = np.array(
            [
                [one.margins(np.array([width, height])) for one in row]
                for row, height in zip(around, heights, strict=True)
            ]
        )
        beside = margins[:, :, [0, 2]].max(axis=0) + space  # left and right of each column
        over = margins[:, :, [3, 1]].max(axis=1) + pad  # above and below each row
        width = max((page[0] - beside.sum()) / columns, 1.0)
        heights = np.maximum((page[1] - below - above - over.sum()) * shares, 1.0)
    top = page[1] - above
    for row, height, (over_row, under_row) in zip(panels.rows, heights, over, strict=True):
        left, bottom = 0.0, top - over_row - height
        for axes, (before, after) in zip(row, beside, strict=True):
            axes.set_position(np.array([left + before, bottom, width, height]) / np.tile(page, 2))
            left += before + width + after
        top = bottom - under_row


def _measure(axes: Axes, renderer: RendererBase) -> _Surroundings:
    frame = axes.bbox
    labels = np.zeros(4)
    for number, axis in enumerate((axes.yaxis, axes.xaxis)):  # with labels at left and at the bottom
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_ticklabels():
            if tick.get_text() and low <= tick.get_position()[1 - number] <= high:
                labels = np.maximum(labels, _overhang(tick.get_window_extent(renderer), frame))
        if axis.label.get_text():
            size = axis.label.get_window_extent(renderer)
            distance = axis.labelpad * axes.figure.dpi / 72  # from points
            labels[number] += distance + (size.height if number else size.width)
    legend = axes.get_legend()
    if legend is not None:
        labels[3] = max(labels[3], legend.get_window_extent(renderer).y1 - frame.y1)
    return _Surroundings(labels, [_anchored(text, axes, renderer) for text in axes.texts])


def _anchored(text: Text, axes: Axes, renderer: RendererBase) -> tuple[Floats, Floats]:
    place = text.xy if isinstance(text, Annotation) else text.get_unitless_position()
    anchor = axes.transData.transform(place)
    box, frame = text.get_window_extent(renderer), axes.bbox
    extent = np.array([anchor[0] - box.x0, anchor[1] - box.y0, box.x1 - anchor[0], box.y1 - anchor[1]])
    return (anchor - frame.min) / frame.size, extent


def _overhang(box: Bbox, frame: Bbox) -> Floats:
    return np.array([frame.x0 - box.x0, frame.y0 - box.y0, box.x1 - frame.x1, box.y1 - frame.y1])
