"""HTML preview pages of artifacts for the ZenML dashboard.

The dashboard shows a page in a frame of fixed height without scripts, so the most important table comes first.
"""

import html
from collections.abc import Iterable

import pandas as pd

_DIGITS = 6
_STYLE = (
    "<style>:root{color-scheme:light}"
    "body{font:14px/1.4 system-ui,sans-serif;margin:.75rem 1rem;color:#222;background:#fff}"
    ".beside{display:flex;gap:2rem;align-items:flex-start}"
    "h3{font-size:1rem;margin:0 0 .4rem}table{border-collapse:collapse;margin-bottom:1.25rem}"
    "td,th{padding:.2rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid #ddd}"
    "td{max-width:26rem;overflow-wrap:break-word}th,.number{white-space:nowrap}"
    ".number{text-align:right;font-variant-numeric:tabular-nums}</style>"
)


def render_page(tables: Iterable[tuple[str, pd.DataFrame]], *, side_by_side: bool = False) -> str:
    """Render tables as an HTML page; all text is escaped.

    Args:
        tables: title and data of each table.
        side_by_side: place the tables in one row.
    """
    sections = "".join(f"<section><h3>{html.escape(title)}</h3>{_table(data)}</section>" for title, data in tables)
    return (
        f"<!doctype html><meta charset='utf-8'>{_STYLE}<main{' class=beside' if side_by_side else ''}>{sections}</main>"
    )


def _table(data: pd.DataFrame) -> str:
    """Table without the index: numbers aligned right, text left, missing values empty."""
    columns = [data.iloc[:, position] for position in range(data.shape[1])]
    kinds = [" class=number" if pd.api.types.is_numeric_dtype(column) else "" for column in columns]
    head = "".join(f"<th{kind}>{html.escape(str(name))}</th>" for kind, name in zip(kinds, data.columns, strict=True))
    cells = [
        [f"<td{kind}>{_format(value)}</td>" for value in column] for kind, column in zip(kinds, columns, strict=True)
    ]
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
    return f"<table><tr>{head}</tr>{rows}</table>"


def _format(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.{_DIGITS}g}"  # noqa: PLR0124  # only NaN differs from itself
    return "" if value is None or value is pd.NA or value is pd.NaT else html.escape(str(value))
