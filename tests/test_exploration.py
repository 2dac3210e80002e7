"""Tables of accidents, held to counts by hand and to another way of counting."""

import numpy as np
import pandas as pd
import pytest

from accidents.plots import exploration
from accidents.tables import Accidents
from tests.trained import small_year


@pytest.fixture(scope="module")
def year() -> Accidents:
    return small_year()[0]


def known(year: Accidents) -> pd.DataFrame:
    return year.accidents[year.accidents["priority"] >= 0]


@pytest.mark.parametrize("table", [exploration.by_hour_and_weekday, exploration.by_road_and_light])
def test_every_accident_with_a_label_counts_once(table, year: Accidents) -> None:
    cells = table(year.accidents)
    assert cells["n"].sum() == len(known(year))
    assert (cells["n"] * cells["share"]).sum() == pytest.approx(known(year)["priority"].sum())


def test_an_hour_of_a_weekday_is_that_of_the_calendar(year: Accidents) -> None:
    rows = known(year)
    days = pd.to_datetime({"year": rows["an"], "month": rows["mois"], "day": rows["jour"]}).dt.day_name()
    wanted = rows[(days == "Friday") & (rows["hrmn"] // 60 == 17)]["priority"]
    cells = exploration.by_hour_and_weekday(year.accidents)
    cell = cells[(cells["weekday"] == "Friday") & (cells["hour"] == 17)].iloc[0]
    assert (cell["n"], cell["share"]) == (len(wanted), pytest.approx(wanted.mean()))


def test_parties_are_those_of_a_loop(year: Accidents) -> None:
    kind = {party: name for name, parties in exploration.KINDS.items() for party in parties}
    order = [*exploration.KINDS]
    found: dict[tuple[str, str], list[int]] = {}
    for _, row in known(year).head(400).iterrows():
        own = year.vehicles[year.vehicles["Num_Acc"] == row["Num_Acc"]]["catv"]
        parties = [kind[exploration.PARTY_OF_CATV[code]] for code in own if code in exploration.PARTY_OF_CATV]
        people = year.people[year.people["Num_Acc"] == row["Num_Acc"]]
        parties += ["pedestrian"] * int((people["catu"] == 3).sum())
        if parties:
            lightest, *_, heaviest = sorted([*parties, *parties], key=order.index)
            pair = (lightest, heaviest if len(parties) > 1 else exploration.ALONE)
            found.setdefault(pair, []).append(row["priority"])
    ids = known(year).head(400)["Num_Acc"]
    some = Accidents(*(frame[frame["Num_Acc"].isin(ids)] for frame in (year.accidents, year.vehicles, year.people)))
    cells = exploration.by_parties(some)
    counted = {(row.lightest, row.heaviest): (row.n, row.share) for row in cells.itertuples()}
    assert counted == {pair: (len(labels), pytest.approx(np.mean(labels))) for pair, labels in found.items()}


def test_missing_cells_are_those_that_are_not_recorded(year: Accidents) -> None:
    cells = exploration.missing(year).set_index("column")
    assert cells.loc["secu1", "share"] == pytest.approx((year.people["secu1"] == -1).mean())
    assert cells.loc["lat", "share"] == pytest.approx(year.accidents["lat"].isna().mean())
    assert cells.loc["secu1", "rows"] == len(year.people)
    assert "env1" not in cells.index  # not published in 2024
