"""What every source hands over: where the four files of a year are. Nothing here finds, fetches or reads them."""

from collections.abc import Mapping
from dataclasses import dataclass

from accidents.columns.specification import Table


@dataclass(frozen=True)
class Edition:
    """The four published files of one year, as local paths or fsspec URLs.

    `year` is None where neither the source nor the file names say it.
    """

    year: int | None
    files: Mapping[Table, str]
