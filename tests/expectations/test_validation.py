"""What is found implausible in a year, and how it is told. Great Expectations takes seconds to import: all slow."""

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from accidents.columns.specification import Table
from accidents.configuration.expectations import ExpectationSettings, MissingLimits, ShareRange
from accidents.expectations.suites import PUBLISHED_ACCIDENTS
from accidents.expectations.validation import ExpectationResults, validate_tables
from accidents.reading.edition import read_edition
from accidents.sources.folder import folder_editions
from accidents.tables import Tables
from tests.expectations.conftest import ACCIDENTS, YEAR, read_sample

pytestmark = pytest.mark.slow

SETTINGS = ExpectationSettings()
Change = Callable[[Table, Callable[[pd.DataFrame], pd.DataFrame]], Tables]


def row(checked: ExpectationResults, subject: str) -> pd.Series:
    found = checked.results[checked.results["subject"] == subject]
    assert len(found) == 1
    return found.iloc[0]


def test_clean_year_is_plausible(clean: Tables) -> None:
    checked = validate_tables(clean, SETTINGS)
    assert checked.results[~checked.results["success"]].empty
    assert checked.success
    assert checked.blocking_failures == ()


def test_observed_shares_are_those_of_the_tables(clean: Tables) -> None:
    checked = validate_tables(clean, SETTINGS)
    observed = checked.results.set_index("subject")["observed"]
    grav = clean.usagers["grav"]
    assert float(observed["people killed"].rstrip(" %")) == pytest.approx(100 * (grav == 2).mean(), rel=1e-3)
    trajet = (clean.usagers["trajet"] == -1).mean()
    assert float(observed["usagers.trajet"].rstrip(" %")) == pytest.approx(100 * trajet, rel=1e-3)
    adr = clean.caracteristiques["adr"].isna().mean()
    assert float(observed["caracteristiques.adr"].rstrip(" %")) == pytest.approx(100 * adr, rel=1e-3)
    severe = clean.usagers["grav"].isin([2, 3]).groupby(clean.usagers["Num_Acc"]).max().mean()
    priority = observed["accidents with somebody killed or hospitalised"]
    assert float(priority.rstrip(" %")) == pytest.approx(100 * severe, rel=1e-3)


def test_a_part_of_a_year_is_reported(clean: Tables) -> None:
    count = row(validate_tables(clean, SETTINGS), "rows of caracteristiques")
    assert count["success"]
    assert count["observed"] == f"{ACCIDENTS:,}"
    assert re.fullmatch(r"a part of the year: 5\.5% of the 54,822 published accidents", count["note"])


def test_part_of_a_year_stops_where_whole_years_are_declared(clean: Tables) -> None:
    checked = validate_tables(clean, SETTINGS.model_copy(update={"whole_years": True}))
    assert checked.blocking_failures == (
        "2023, Number of accidents, rows of caracteristiques: 3,000, expected 54,274 to 55,370",
    )


@pytest.mark.parametrize(("rows", "success"), [(54_822, True), (54_300, True), (54_200, False), (56_000, False)])
def test_whole_year_may_differ_from_the_published_number_by_one_percent(
    clean: Tables, rows: int, success: bool
) -> None:
    ids = pd.Series(np.arange(rows) + YEAR * 100_000_000)
    tables = Tables(
        **{f.name: getattr(clean, f.name).sample(rows, replace=True, random_state=0) for f in fields(Tables)}
    )
    tables = replace(tables, caracteristiques=tables.caracteristiques.assign(Num_Acc=ids.to_numpy()))
    checked = validate_tables(tables, SETTINGS.model_copy(update={"whole_years": True}))
    assert row(checked, "rows of caracteristiques")["success"] == success


def test_more_accidents_than_published_is_a_warning_unless_whole_years_are_declared(clean: Tables) -> None:
    many = pd.concat([clean.caracteristiques] * 20, ignore_index=True)
    checked = validate_tables(replace(clean, caracteristiques=many), SETTINGS)
    count = row(checked, "rows of caracteristiques")
    assert not count["success"]
    assert not count["blocking"]


def test_a_year_without_a_published_number_is_reported(clean: Tables) -> None:
    later = Tables(**{f.name: getattr(clean, f.name).copy() for f in fields(Tables)})
    for table in Table:
        getattr(later, table)["Num_Acc"] += 7 * 100_000_000
    checked = validate_tables(later, SETTINGS.model_copy(update={"whole_years": True}))
    assert checked.success
    assert "no published number for 2030" in row(checked, "rows of caracteristiques")["note"]


@pytest.mark.parametrize(
    ("value", "subject"),
    [(-1, "people of unknown injury"), (1, "people killed"), (3, "people hospitalised"), (2, "people unhurt")],
)
def test_implausible_labels_stop(changed: Change, value: int, subject: str) -> None:
    tables = changed(Table.USAGERS, lambda people: people.assign(grav=np.int16(value)))
    assert any(subject in failure for failure in validate_tables(tables, SETTINGS).blocking_failures)


def test_labels_of_few_accidents_are_a_warning(clean: Tables) -> None:
    ids = clean.caracteristiques["Num_Acc"].head(20)
    few = {f.name: getattr(clean, f.name) for f in fields(Tables)}
    few = {name: frame[frame["Num_Acc"].isin(ids)] for name, frame in few.items()}
    few["usagers"] = few["usagers"].assign(grav=np.int16(2))
    checked = validate_tables(Tables(**few), SETTINGS)
    assert not checked.success
    assert checked.blocking_failures == ()


@pytest.mark.parametrize("table", [Table.LIEUX, Table.VEHICULES, Table.USAGERS])
def test_rows_without_their_accident_stop(changed: Change, table: Table) -> None:
    def orphan(frame: pd.DataFrame) -> pd.DataFrame:
        lost = np.arange(len(frame)) < len(frame) / 100
        return frame.assign(Num_Acc=frame["Num_Acc"].mask(lost, YEAR * 100_000_000 + 99_999_999))

    failures = validate_tables(changed(table, orphan), SETTINGS).blocking_failures
    subject = f"rows of {table} whose accident is not in caracteristiques: 1"
    assert any(subject in failure and "expected at most 0.1 %" in failure for failure in failures)


@pytest.mark.parametrize("table", [Table.LIEUX, Table.VEHICULES, Table.USAGERS])
def test_accidents_without_rows_in_another_table_stop(changed: Change, table: Table) -> None:
    tables = changed(table, lambda frame: frame[frame["Num_Acc"] > frame["Num_Acc"].min() + 20])
    failures = validate_tables(tables, SETTINGS).blocking_failures
    assert any(f"rows of caracteristiques whose accident is not in {table}" in failure for failure in failures)


@pytest.mark.parametrize(("table", "column"), [(Table.USAGERS, "catu"), (Table.CARACTERISTIQUES, "lat")])
def test_column_with_too_much_missing_stops(changed: Change, table: Table, column: str) -> None:
    def lose(frame: pd.DataFrame) -> pd.DataFrame:
        lost = np.arange(len(frame)) % 5 == 0
        return frame.assign(**{column: frame[column].mask(lost, np.nan if column == "lat" else -1)})

    (failure,) = validate_tables(changed(table, lose), SETTINGS).blocking_failures
    assert failure.startswith(f"{YEAR}, Missing cells, {table}.{column}: 20")
    assert failure.endswith("expected at most 5 %")


def test_limit_of_a_column_can_be_moved(changed: Change) -> None:
    tables = changed(Table.USAGERS, lambda people: people.assign(catu=np.int16(-1)))
    limits = MissingLimits(other=0.05, columns={**SETTINGS.missing.columns, "usagers.catu": 1})
    assert validate_tables(tables, SETTINGS.model_copy(update={"missing": limits})).blocking_failures == ()


def test_every_year_is_looked_at_on_its_own(clean: Tables, tmp_path: Path) -> None:
    old = read_sample(tmp_path, 2012, 1500)
    both = {
        f.name: pd.concat([getattr(clean, f.name), getattr(old, f.name)], ignore_index=True) for f in fields(Tables)
    }
    of_2012 = both["usagers"]["Num_Acc"] // 100_000_000 == 2012
    both["usagers"].loc[of_2012, "grav"] = -1
    checked = validate_tables(Tables(**both), SETTINGS)
    assert checked.results["year"].unique().tolist() == [2012, YEAR]
    assert checked.blocking_failures
    assert all(failure.startswith("2012") for failure in checked.blocking_failures)
    subjects = set(checked.results.loc[checked.results["year"] == 2012, "subject"])
    assert "usagers.secu" in subjects
    assert "usagers.secu1" not in subjects


def test_table_without_rows_stops(changed: Change) -> None:
    checked = validate_tables(changed(Table.USAGERS, lambda people: people[:0]), SETTINGS)
    assert any("no rows" in failure for failure in checked.blocking_failures)
    assert any("not in usagers: 100 %" in failure for failure in checked.blocking_failures)


class References(HTMLParser):
    """Collects whatever a page would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.found += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]


def test_page_needs_nothing_from_elsewhere_and_escapes_what_it_shows(clean: Tables) -> None:
    page = validate_tables(clean, SETTINGS, source="synthetic <sample>").html
    assert References(page).found == []
    assert "url(" not in page
    assert "@import" not in page
    assert "synthetic &lt;sample&gt;" in page
    assert "Licence Ouverte" in page
    assert "All " in page


def test_page_shows_what_is_broken_first(changed: Change) -> None:
    page = validate_tables(changed(Table.USAGERS, lambda people: people.assign(catu=np.int16(-1))), SETTINGS).html
    assert re.search(r"\b1 of \d+ expectations stop the run", page)
    assert page.index("Not as expected") < page.index("usagers.catu") < page.index(f"<h2>{YEAR}</h2>")


def test_validation_opens_no_connection_and_prints_nothing(tmp_path: Path) -> None:
    code = """
        import socket, sys

        def refuse(*args):
            raise AssertionError("a connection was opened")

        socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
        from accidents.configuration.expectations import ExpectationSettings
        from accidents.expectations.validation import validate_tables
        from tests.expectations.conftest import *

        print(validate_tables(read_sample(Path(sys.argv[1]), 2023), ExpectationSettings()).success)
        """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("True\n", "")


def test_importing_the_check_does_not_import_great_expectations() -> None:
    code = "import sys, accidents.expectations.validation; print('great_expectations' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "False"


def test_published_numbers_stand_for_every_year_counted() -> None:
    assert set(range(2009, 2025)) == set(PUBLISHED_ACCIDENTS)


@pytest.mark.parametrize(
    "section",
    [
        {"missing": {"other": 0.1, "columns": {"usagers.shoe_size": 0.1}}},
        {"missing": {"other": 2, "columns": {}}},
        {"killed": {"least": 0.5, "most": 0.1}},
        {"unheard_of": 1},
    ],
)
def test_invalid_settings_are_rejected(section: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ExpectationSettings.model_validate(section)


def test_bounds_may_be_a_single_share() -> None:
    assert ShareRange(least=0.5, most=0.5).least == 0.5


@pytest.mark.real
def test_real_months_are_plausible_and_reported_as_a_part(real_baac: Path) -> None:
    (edition,) = folder_editions(str(real_baac), [2024])
    checked = validate_tables(read_edition(edition).tables, SETTINGS)
    assert checked.results[~checked.results["success"]].empty
    assert "a part of the year: 74.9%" in row(checked, "rows of caracteristiques")["note"]


def test_few_accidents_may_lack_more_by_chance_and_an_emptied_column_stops_nevertheless(clean: Tables) -> None:
    def first(number: int) -> Tables:
        wanted = clean.caracteristiques["Num_Acc"].iloc[:number]
        frames = {f.name: getattr(clean, f.name) for f in fields(Tables)}
        return Tables(**{name: frame[frame["Num_Acc"].isin(wanted)] for name, frame in frames.items()})

    assert validate_tables(first(1), SETTINGS).blocking_failures == ()
    few = first(900)
    assert validate_tables(few, SETTINGS).blocking_failures == ()
    empty = replace(few, usagers=few.usagers.assign(etatp=-1))
    (failure,) = validate_tables(empty, SETTINGS).blocking_failures
    assert "usagers.etatp: 100 %" in failure


def test_further_roads_of_an_accident_may_hold_little(clean: Tables) -> None:
    further = clean.lieux.sample(frac=0.6, random_state=0).assign(surf=-1, vma=-1, circ=-1)
    checked = validate_tables(replace(clean, lieux=pd.concat([further, clean.lieux], ignore_index=True)), SETTINGS)
    assert checked.blocking_failures == ()
    assert row(checked, "lieux.surf")["observed"] == row(validate_tables(clean, SETTINGS), "lieux.surf")["observed"]
