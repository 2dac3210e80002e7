"""Generates a synthetic year in blocks, and writes it as the four files of an edition."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from accidents.atomic_write import atomic_write, write_text
from accidents.columns import ATTRIBUTION, Table
from accidents.sample.decoding import FirstIds, decode_tables
from accidents.sample.drift import REFERENCE_YEAR, drift_weights
from accidents.sample.file_layouts import LayoutName, encode_file, file_names, format_cells, layout_of_year
from accidents.sample.sampling import AccidentSampler

BLOCK_SIZE = 50_000
"""Accidents in memory at a time."""

_STREAM = 0xBAAC
"""Part of the seed, so that a split of the same data with the same seed has independent random numbers."""

README = f"""These files are SYNTHETIC: drawn at random by `accidents.sample`. No accident in them has happened.

The distributions were counted from January to September 2024 of the real files; October to December are interpolated
between September and January. Addresses, ids and coordinates inside cells of 0.1 degrees are invented.

Source of the counts: {ATTRIBUTION}.
"""


def generate_sample(
    accidents: int = 20_000, *, year: int = 2024, seed: int = 0, layout: Literal["auto", "2019", "2005"] = "auto"
) -> dict[Table, pd.DataFrame]:
    """Generate a synthetic year as text cells.

    Args:
        accidents: number of accidents.
        year: year of the edition: decides columns, file names and quirks, what is drawn, and the drift of its
            distributions.
        seed: seed of the random numbers.
        layout: "2019" quoted and separated by semicolons, "2005" the older one; "auto" chooses by the year.

    Returns:
        One frame of str a table, with the columns that the edition publishes.
    """
    blocks = list(_blocks(accidents, year, seed, layout_of_year(year) if layout == "auto" else layout))
    return {table: pd.concat([block[table] for block in blocks], ignore_index=True) for table in Table}


def write_sample(
    folder: Path,
    *,
    accidents: int = 20_000,
    year: int = 2024,
    seed: int = 0,
    layout: Literal["auto", "2019", "2005"] = "auto",
) -> None:
    """Write a synthetic year as the four files of its edition, and `SYNTHETIC.txt`, which describes them.

    Arguments are those of `generate_sample`. The same arguments give the same bytes. Files are written atomically.
    """
    chosen = layout_of_year(year) if layout == "auto" else layout
    with ExitStack() as stack:
        files = {}
        for table, name in file_names(year).items():
            files[table] = stack.enter_context(stack.enter_context(atomic_write(folder / name)).open("wb"))
        for number, block in enumerate(_blocks(accidents, year, seed, chosen)):
            for table, cells in block.items():
                tabs = _has_tabs(table, year, chosen)
                files[table].write(encode_file(cells, chosen, tabs=tabs, header=number == 0))
    write_text(folder / "SYNTHETIC.txt", README)


def _blocks(accidents: int, year: int, seed: int, layout: LayoutName) -> Iterator[dict[Table, pd.DataFrame]]:
    if accidents < 1:
        raise ValueError(f"a synthetic year has at least one accident, not {accidents}")
    first = FirstIds()
    # Every year has random numbers of its own; those of the reference year do without its number.
    stream = [_STREAM] if year == REFERENCE_YEAR else [_STREAM, year]
    weights = drift_weights(year, np.random.default_rng([seed, *stream]))
    for number, start in enumerate(range(0, accidents, BLOCK_SIZE)):
        rng = np.random.default_rng([seed, number, *stream])
        drawn = AccidentSampler(rng, weights).sample(min(BLOCK_SIZE, accidents - start))
        published = decode_tables(drawn, year, first, rng)
        first = first.after(drawn)
        yield format_cells(published, year, layout)


def _has_tabs(table: Table, year: int, layout: LayoutName) -> bool:
    """Copies of `caracteristiques` of 2009 in common use are separated by tabs."""
    return layout == "2005" and year == 2009 and table is Table.CARACTERISTIQUES
