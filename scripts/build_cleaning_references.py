"""Build the reference data of cleaning from real files: value distributions of columns, bounding boxes of departments.

    python -m scripts.build_cleaning_references FOLDER

FOLDER holds one folder a year of official files (2013, 2018, 2021 and 2024 were counted). Only shares and rounded
boxes are written, never a row.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from accidents.cleaning import department_boxes, value_distribution
from accidents.columns import ATTRIBUTION, Table
from accidents.reading.layout import Layout
from accidents.reading.typed_table import ParsedFile, read_table

BOXES_YEAR = 2024  # older years have whole departments with coordinates of the wrong sign
TOO_LOCAL = {(Layout.UNTIL_2018, "voie")}  # a number until 2018, and French Guiana has few roads: they look like posts
LEAST_SHARE = 1e-5
MARGIN = 0.3  # degrees around the accidents counted
TRIMMED = 0.01  # share of accidents left out on each side of a box: a few are misplaced


def main(folder: Path) -> None:
    """Write both reference files from all files below `folder`."""
    files = {(int(path.parent.name), path.name): path for path in sorted(folder.glob("20??/*.csv"))}
    years = sorted({year for year, _ in files})
    shares: dict[tuple[Layout, Table], dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    boxes: dict[str, tuple[float, ...]] = {}
    for (year, name), path in files.items():
        table = next(table for table in Table if name.startswith(table.value[:6]))
        read = read_table(str(path), table, year)
        for column, counts in value_distribution.count_value_classes(read.frame, table).items():
            if counts[:-1].any() and (read.layout, column) not in TOO_LOCAL:
                shares[read.layout, table][column].append(counts / counts.sum())
        if table is Table.CARACTERISTIQUES and year == BOXES_YEAR:
            boxes = _boxes(read)
    head = {"source": ATTRIBUTION, "counted_years": years}
    contents: dict[str, dict[str, object]] = {layout.name: {} for layout in Layout}
    for (layout, table), columns in shares.items():
        contents[layout.name][table.value] = {name: _mean(parts) for name, parts in columns.items()}
    _write(value_distribution.REFERENCE, head | {"shares": contents})
    _write(department_boxes.REFERENCE, head | {"counted_years": [BOXES_YEAR], "boxes": boxes})


def _mean(parts: list[np.ndarray]) -> dict[str, float]:
    """Mean share over the files of each class of values, without very rare classes."""
    mean = np.mean(parts, axis=0)
    return {str(place): round(float(share), 5) for place, share in enumerate(mean) if share >= LEAST_SHARE}


def _boxes(read: ParsedFile) -> dict[str, tuple[float, ...]]:
    """South, north, west and east of the accidents of each mainland department, with a margin."""
    boxes = {}
    for department, group in read.frame.dropna(subset=["lat", "long"]).groupby("dep"):
        if len(str(department)) == 2:
            south, north = group["lat"].quantile([TRIMMED, 1 - TRIMMED])
            west, east = group["long"].quantile([TRIMMED, 1 - TRIMMED])
            edges = (south - MARGIN, north + MARGIN, west - MARGIN, east + MARGIN)
            boxes[str(department)] = tuple(round(edge, 1) for edge in edges)
    return boxes


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
