"""Files of the web page: nothing inline, nothing from elsewhere, outlines and towns that agree with BAAC."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from accidents.cleaning.coordinates import department_boxes
from accidents.columns import TABLES, Table
from scripts.build_department_outlines import DEPARTMENTS, LARGEST, contradicted
from scripts.build_department_outlines import TARGET as OUTLINES
from scripts.build_town_list import TARGET as TOWNS

PAGE = TOWNS.parent
DEPARTMENT = re.compile(TABLES[Table.CARACTERISTIQUES]["dep"].pattern)
COMMUNE = re.compile(TABLES[Table.CARACTERISTIQUES]["com"].pattern)


@pytest.fixture(scope="module")
def outlines() -> dict[str, Any]:
    return dict(json.loads(OUTLINES.read_text(encoding="utf-8")))


def test_page_has_no_inline_code_and_no_external_files() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", html)
    loaded = re.findall(r"<(?:script|img|link)[^>]*?(?:src|href)=\"([^\"]+)\"", html)
    for file in PAGE.glob("*.js"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), file
        assert "innerHTML" not in text, file
        loaded += [f"page/{name}" for name in re.findall(r"from \"\./([^\"]+)\"", text)]
        loaded += re.findall(r"\.load\(\"([^\"]+)\"\)", text)
    for address in loaded:
        assert address.startswith("page/"), address  # relative, so that a proxy may add a path prefix
        folder = OUTLINES.parents[1] if address.startswith("page/outlines/") else PAGE
        assert (folder / address.removeprefix("page/")).is_file(), address


def test_addresses_are_relative() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href|action)=\"/", html)
    for file in PAGE.glob("*.js"):
        assert not re.findall(r"[\"'`]/[a-z]", file.read_text(encoding="utf-8")), file


def test_third_party_files_are_listed_with_their_licences() -> None:
    listed = (PAGE / "vendor" / "LICENSES.md").read_text(encoding="utf-8")
    for file in [*(PAGE / "vendor").iterdir(), OUTLINES, TOWNS]:
        assert file.name in listed or file.name == "LICENSES.md", file
    for name in ("Licence Ouverte", "public domain", "BSD 2-Clause", "Creative Commons Attribution 4.0"):
        assert name in listed


def test_every_department_has_an_outline_around_its_accidents(outlines: dict[str, Any]) -> None:
    assert OUTLINES.stat().st_size <= LARGEST
    shapes = {one["properties"]["code"]: one["geometry"]["coordinates"] for one in outlines["features"]}
    assert len(shapes) == len(outlines["features"]) == DEPARTMENTS
    assert all(DEPARTMENT.fullmatch(code) for code in shapes)
    assert department_boxes().keys() <= shapes.keys() | {"975", "977", "978", "986", "987", "988"}
    for code, polygons in shapes.items():
        rings = [np.array(ring) for polygon in polygons for ring in polygon]
        assert all((ring[0] == ring[-1]).all() and len(ring) >= 4 for ring in rings), code
        if code in department_boxes():
            west, south = np.min([ring.min(axis=0) for ring in rings], axis=0)
            east, north = np.max([ring.max(axis=0) for ring in rings], axis=0)
            low, high, left, right = department_boxes()[code]
            assert low - 0.2 < south < high, code
            assert low < north < high + 0.2, code
            assert left - 0.2 < west < right, code
            assert left < east < right + 0.2, code


def test_cells_lie_in_exactly_one_known_department(outlines: dict[str, Any]) -> None:
    cells = [tuple(cell) for some in outlines["cells"].values() for cell in some]
    assert len(cells) == len(set(cells)) > 0
    assert all(DEPARTMENT.fullmatch(code) for code in outlines["cells"])
    for code, some in outlines["cells"].items():
        if code in department_boxes():
            south, north, west, east = department_boxes()[code]
            assert all(south <= a / 100 <= north and west <= b / 100 <= east for a, b in some), code


def test_towns_lie_in_the_department_of_their_code() -> None:
    content = json.loads(TOWNS.read_text(encoding="utf-8"))
    assert "GeoNames" in content["sources"]["towns"]
    codes = [code for *_, code in content["towns"]]
    assert all(COMMUNE.fullmatch(code) or DEPARTMENT.fullmatch(code) for code in codes)
    assert [row[3] for row in content["towns"]] == sorted((row[3] for row in content["towns"]), reverse=True)
    inside = []
    for _, latitude, longitude, _, code in content["towns"]:
        if code[:2] in department_boxes():
            south, north, west, east = department_boxes()[code[:2]]
            inside.append(south <= latitude <= north and west <= longitude <= east)
    assert len(inside) > 8000
    assert np.mean(inside) > 0.999


def test_cells_that_contradict_the_outlines_are_counted() -> None:
    west = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    east = [[x + 1.0, y] for x, y in west]
    features = [
        {"properties": {"code": code}, "geometry": {"coordinates": [[ring]]}}
        for code, ring in (("01", west), ("02", east))
    ]
    accidents = pd.DataFrame(
        [
            *[("01", 0.505, 0.505)] * 3,  # as outlined
            *[("02", 0.505, 0.985)] * 2,  # beyond the border of the outlines
            ("02", 0.705, 0.985),  # one alone may be a mistake
            *[("01", 0.905, 0.985)] * 2,  # both departments have accidents here
            *[("02", 0.905, 0.985)] * 2,
            *[("02", 0.505, 2.005)] * 2,  # outside all outlines
        ],
        columns=["dep", "lat", "long"],
    )
    assert contradicted(features, accidents) == {"02": [[50, 98], [50, 200]]}


def test_modules_are_small() -> None:
    for file in (*PAGE.glob("*.js"), *PAGE.glob("*.html")):
        assert len(Path(file).read_text(encoding="utf-8").splitlines()) <= 300, file
