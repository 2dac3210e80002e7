"""The synthetic year against the committed counts: shares, dependencies and the label."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns import Table
from accidents.sample.probability_tables import (
    MIN_COUNT,
    MIN_ROWS,
    build_probability_table,
    combination_index,
    count_combinations,
    counts_by_variable,
    domains,
)
from tests.sample.conftest import Cells

pytestmark = pytest.mark.slow

PREVALENCE = 0.3631
"""Share of priority accidents in the real months from which the tables were counted."""


def marginal(variable: str) -> pd.Series:
    """Counted shares of the published values of a variable."""
    counts = counts_by_variable()[variable]
    rows = counts[(counts["depth"] == 0) & (counts["value"] >= 0)]
    values = [domains()[variable][value] for value in rows["value"]]
    return pd.Series(rows["count"].to_numpy(), index=values) / rows["count"].sum()


def distance(found: pd.Series, wanted: pd.Series) -> float:
    """Half the sum of the absolute differences of two distributions."""
    return float(found.sub(wanted, fill_value=0).abs().sum() / 2)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *((Table.CARACTERISTIQUES, name) for name in ("dep", "agg", "mois", "lum", "int", "atm", "col")),
        *((Table.LIEUX, name) for name in ("catr", "vma", "circ", "surf", "plan", "prof", "situ", "infra", "nbv")),
        *((Table.VEHICULES, name) for name in ("catv", "manv", "choc", "obs", "obsm", "senc", "motor")),
        *((Table.USAGERS, name) for name in ("place", "trajet", "secu1", "secu2", "locp", "etatp")),
    ],
)
def test_shares_are_those_counted(table: Table, column: str, year: Cells) -> None:
    cells = year[table].drop_duplicates("Num_Acc") if table is Table.LIEUX else year[table]
    texts = cells[column]
    found = (texts if column == "dep" else texts.astype("int64")).value_counts(normalize=True)
    wanted = marginal({"mois": "month"}.get(column, column))
    # The months without data shift light and weather; people who fled, whose equipment is not counted, the rest.
    assert distance(found, wanted) < 0.06


def test_no_count_is_small() -> None:
    for name, counts in counts_by_variable().items():
        totals, cells = counts[counts["value"] < 0], counts[counts["value"] >= 0]
        assert totals["count"].min() >= MIN_ROWS, name
        assert cells["count"].min() >= MIN_COUNT, name


def test_collisions_go_with_vehicles(year: Cells) -> None:
    vehicles = year[Table.VEHICULES].groupby("Num_Acc").size()
    col = year[Table.CARACTERISTIQUES].set_index("Num_Acc")["col"]
    two = col[vehicles == 2]
    alone = col[vehicles == 1]
    assert two.isin(["1", "2", "3"]).mean() > 0.75
    assert alone.isin(["6", "7"]).mean() > 0.9
    assert col[vehicles > 2].isin(["4", "5"]).mean() > 0.6


def test_nights_are_dark_and_motorways_fast(year: Cells) -> None:
    accidents = year[Table.CARACTERISTIQUES]
    hour = accidents["hrmn"].str[:2].astype(int)
    assert (accidents.loc[hour.between(0, 4), "lum"] == "1").mean() < 0.01
    assert (accidents.loc[hour.between(11, 15), "lum"] == "1").mean() > 0.97
    winter_evening = accidents["mois"].isin(["11", "12"]) & (hour == 18)
    assert (accidents.loc[winter_evening, "lum"] == "1").mean() < 0.15
    roads = year[Table.LIEUX]
    assert roads.loc[roads["catr"] == "1", "vma"].astype(int).median() >= 90
    assert roads.loc[roads["catr"] == "4", "vma"].astype(int).median() <= 50


def test_coordinates_lie_where_the_department_is(year: Cells) -> None:
    accidents = year[Table.CARACTERISTIQUES]
    lat, long = (accidents[name].str.strip().str.replace(",", ".").astype(float) for name in ("lat", "long"))
    paris = accidents["dep"] == "75"
    assert lat[paris].between(48.7, 49.0).mean() > 0.99
    assert long[paris].between(2.1, 2.6).mean() > 0.99
    mainland = accidents["dep"].str.len() == 2
    inside = lat.between(41, 51.5) & long.between(-5.5, 10)
    assert 0.999 < inside[mainland].mean() <= 1


def priority(cells: Cells) -> pd.Series:
    people = cells[Table.USAGERS]
    return people["grav"].isin(["2", "3"]).groupby(people["Num_Acc"]).any()


def test_prevalence_and_the_departments_where_it_differs(year: Cells) -> None:
    label = priority(year)
    assert label.mean() == pytest.approx(PREVALENCE, abs=0.02)
    dep = year[Table.CARACTERISTIQUES].set_index("Num_Acc")["dep"]
    assert label[dep == "75"].mean() < 0.15
    assert label[dep == "92"].mean() < 0.15
    assert label[dep == "24"].mean() > 0.7


def test_injuries_are_as_frequent_as_in_the_full_year(year: Cells) -> None:
    published = pd.Series({"1": 52_920, "4": 49_709, "3": 19_126, "2": 3_432}) / 125_187
    found = year[Table.USAGERS]["grav"].value_counts(normalize=True)
    assert distance(found, published) < 0.025


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), rows=st.integers(400, 2_000), width=st.integers(2, 8))
def test_drawing_gives_back_what_was_counted(seed: int, rows: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    condition = rng.integers(2, size=rows)
    values = np.minimum(rng.geometric(0.5, size=rows) - 1 + condition, width - 1)
    table = build_probability_table(count_combinations(values, width, [condition], [2]), width, [2])
    frequent = int(condition.mean() > 0.5)
    wanted = np.bincount(values[condition == frequent], minlength=width) / (condition == frequent).sum()
    found = np.bincount(table.sample([np.full(20_000, frequent)], rng.random(20_000)), minlength=width) / 20_000
    # Smoothing adds 3 rows to at least 200, and what is rarer than 5 rows is drawn as all rows have it.
    assert np.abs(found - wanted).max() < 0.08


def test_what_is_rare_is_drawn_from_a_coarser_combination_or_is_the_fallback() -> None:
    condition = np.repeat([0, 1], [1_000, 3])
    values = np.repeat([0, 1, 2], [600, 400, 3])
    counts = count_combinations(values, 3, [condition], [2])
    uniform = np.linspace(0, 1, 1_000, endpoint=False)
    rare = np.ones(1_000, dtype=np.int64)
    borrowed = build_probability_table(counts, 3, [2]).sample([rare], uniform)
    assert np.bincount(borrowed, minlength=3).tolist() == [600, 400, 0]
    assert set(build_probability_table(counts, 3, [2], fallback=2).sample([rare], uniform)) == {2}


def test_combinations_are_numbered_without_collision() -> None:
    first, second = np.divmod(np.arange(12), 4)
    assert combination_index([first, second], [3, 4]).tolist() == list(range(12))
