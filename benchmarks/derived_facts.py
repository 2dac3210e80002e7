"""Agreement of derived facts with recorded ones: light, department from commune, department from coordinates.

    python -m benchmarks.derived_facts --source FOLDER

Every fact is left out of accidents that have it, and derived by the code of a request. A share is that of accidents
whose derived fact equals the recorded one, among those for which one was derived.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from accidents.columns import TABLES, Table
from accidents.requests import ParseReport, parse_in_pieces
from benchmarks.common import argument_parser, load_accidents, print_markdown

_USED = ("jour", "mois", "an", "hrmn", "agg", "dep", "com", "lat", "long")
_NIGHT = 3  # codes from here on
_LEFT_OUT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "light, from date, time, coordinates and built-up area": ("lum", ()),
    "light, from date, time, department and built-up area": ("lum", ("lat", "long", "com")),
    "department, from the commune": ("dep", ("dep", "lat", "long")),
    "department, from the coordinates": ("dep", ("dep", "com")),
}
"""Derived column, and the columns that are left out with it, by description."""


def main() -> None:
    """Print a table of the facts, and one of the recorded and derived light."""
    parser = argument_parser(__doc__)
    parser.add_argument("--source", default="sample", help="sample, or a folder of real files")
    options = parser.parse_args()
    table = load_accidents(options.source).accidents
    print(f"{options.source}: {len(table):,} accidents")
    rows = []
    for description, (name, without) in _LEFT_OUT.items():
        own = table[table[name].notna() & (table["lat"].notna() | ("lat" in without))]
        values = derive(own, name, without)
        rows.append(agreement(description, own[name].to_numpy(), values))
    print_markdown(rows)
    located = table[table["lat"].notna()]
    print_markdown(_light(located["lum"].to_numpy(), derive(located, "lum", ())))


def derive(table: pd.DataFrame, name: str, without: Sequence[str]) -> list[Any]:
    """The derived value of a column for each accident, None where none is derived."""
    columns = [column for column in _USED if column not in (name, *without)]
    records = table[columns].astype(object).where(table[columns].notna(), None).to_dict("records")
    named = ({str(column): value for column, value in record.items()} for record in records)
    contents = ({"accident": _content(record), "vehicles": [{}], "people": [{}]} for record in named)
    reports = [report for piece in parse_in_pieces(contents, derive=True) for report in piece.results]
    facts = [{fact.field: fact.value for fact in _report(report).derived} for report in reports]
    return [own.get(f"accident.{name}") for own in facts]


def agreement(description: str, recorded: np.ndarray, values: list[Any]) -> dict[str, str]:
    """A row of the table."""
    known = [value is not None for value in values]
    equal = [value == own for value, own in zip(values, recorded, strict=True) if value is not None]
    return {
        "fact": description,
        "accidents": f"{len(values):,}",
        "derived": f"{np.mean(known):.1%}",
        "as recorded": f"{np.mean(equal):.1%}",
    }


def _light(recorded: np.ndarray, values: list[Any]) -> list[dict[str, str]]:
    """For each recorded light its accidents, and the share that gets the same code, and the same part of the day."""
    meanings = TABLES[Table.CARACTERISTIQUES]["lum"].codes
    derived = np.array([-1 if value is None else value for value in values])
    rows = []
    for code, meaning in meanings.items():
        own = derived[recorded == code]
        part = np.minimum(own, _NIGHT) == min(code, _NIGHT)
        same = f"{(own == code).mean():.1%}" if len(own) else ""
        rows.append({"recorded light": meaning, "accidents": f"{len(own):,}", "same code": same,
                     "same part of the day": f"{part.mean():.1%}" if len(own) else ""})  # fmt: skip
    return rows


def _content(record: dict[str, Any]) -> dict[str, Any]:
    minutes = record["hrmn"]
    time = None if minutes is None or minutes < 0 else f"{minutes // 60:02d}:{minutes % 60:02d}"
    return record | {"hrmn": time}


def _report(result: Any) -> ParseReport:
    if not isinstance(result, ParseReport):
        raise TypeError(str(result))
    return result


if __name__ == "__main__":
    main()
