"""Summary tables, compared with counts by hand and with an independent loop."""

import numpy as np
import pandas as pd
import pytest

from accidents.plots import exploration
from accidents.tables import Accidents
from tests.trained import small_year


@pytest.fixture(scope="module")
def year() -> Accidents:
    return small_year()[0]


def labelled(year: Accidents) -> pd.DataFrame:
    return year.accidents[year.accidents["priority"] >= 0]


@pytest.mark.parametrize(
    "summarise", [exploration.priority_by_hour_and_weekday, exploration.priority_by_road_and_light]
)
def test_every_accident_with_a_label_counts_once(summarise, year: Accidents) -> None:
    table = summarise(year.accidents)
    assert table["n"].sum() == len(labelled(year))
    assert (table["n"] * table["share"]).sum() == pytest.approx(labelled(year)["priority"].sum())


def test_an_hour_of_a_weekday_is_that_of_the_calendar(year: Accidents) -> None:
    rows = labelled(year)
    days = pd.to_datetime({"year": rows["an"], "month": rows["mois"], "day": rows["jour"]}).dt.day_name()
    rows_of_hour = rows[(days == "Friday") & (rows["hrmn"] // 60 == 17)]["priority"]
    table = exploration.priority_by_hour_and_weekday(year.accidents)
    row = table[(table["weekday"] == "Friday") & (table["hour"] == 17)].iloc[0]
    assert (row["n"], row["share"]) == (len(rows_of_hour), pytest.approx(rows_of_hour.mean()))


def test_parties_are_those_of_a_loop(year: Accidents) -> None:
    kind = {party: name for name, parties in exploration.PARTY_KINDS.items() for party in parties}
    order = [*exploration.PARTY_KINDS]
    expected: dict[tuple[str, str], list[int]] = {}
    for _, row in labelled(year).head(400).iterrows():
        own = year.vehicles[year.vehicles["Num_Acc"] == row["Num_Acc"]]["catv"]
        parties = [kind[exploration.PARTY_OF_CATV[code]] for code in own if code in exploration.PARTY_OF_CATV]
        people = year.people[year.people["Num_Acc"] == row["Num_Acc"]]
        parties += ["pedestrian"] * int((people["catu"] == 3).sum())
        if parties:
            lightest, *_, heaviest = sorted([*parties, *parties], key=order.index)
            pair = (lightest, heaviest if len(parties) > 1 else exploration.SINGLE_PARTY)
            expected.setdefault(pair, []).append(row["priority"])
    ids = labelled(year).head(400)["Num_Acc"]
    some = Accidents(*(frame[frame["Num_Acc"].isin(ids)] for frame in (year.accidents, year.vehicles, year.people)))
    table = exploration.priority_by_parties(some)
    counted = {(row.lightest, row.heaviest): (row.n, row.share) for row in table.itertuples()}
    assert counted == {pair: (len(labels), pytest.approx(np.mean(labels))) for pair, labels in expected.items()}


def test_missing_values_are_those_not_recorded(year: Accidents) -> None:
    table = exploration.missing_values(year).set_index("column")
    assert table.loc["secu1", "share"] == pytest.approx((year.people["secu1"] == -1).mean())
    assert table.loc["lat", "share"] == pytest.approx(year.accidents["lat"].isna().mean())
    assert table.loc["secu1", "rows"] == len(year.people)
    assert "env1" not in table.index  # not published in 2024
