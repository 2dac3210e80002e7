"""Synthetic years are different years: other accidents under laws that drift a little."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.source import SampleSettings, SourceSettings
from accidents.configuration.training import TrainingSettings
from accidents.evaluation.metrics import compute_metrics
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.sample.drift import drift_weights
from accidents.sample.writer import generate_sample
from accidents.sources.resolve import resolve_editions
from accidents.tables import LABEL, Accidents
from accidents.training.train import train
from tests.sample.conftest import Cells

pytestmark = pytest.mark.slow

ACCIDENTS = 4_000
YEARS = (2019, 2020, 2024)


@pytest.fixture(scope="module")
def years() -> dict[int, Cells]:
    """Years of the same seed in one layout."""
    return {year: generate_sample(ACCIDENTS, year=year) for year in YEARS}


@pytest.mark.parametrize(("one", "other"), [(2019, 2020), (2020, 2024)])
def test_no_place_stands_in_two_years(years: dict[int, Cells], one: int, other: int) -> None:
    places = [
        set(years[year][Table.CARACTERISTIQUES][["lat", "long"]].itertuples(index=False, name=None))
        for year in (one, other)
    ]
    assert len(places[0]) > 0.99 * ACCIDENTS
    assert not places[0] & places[1]


@pytest.mark.parametrize(("one", "other"), [(2019, 2020), (2020, 2024)])
def test_an_accident_tells_nothing_of_the_same_number_of_another_year(
    years: dict[int, Cells], one: int, other: int
) -> None:
    first, second = (years[year][Table.CARACTERISTIQUES] for year in (one, other))
    for column in ("dep", "mois", "hrmn", "agg", "lum", "col", "int"):
        values = first[column].to_numpy(), second[column].to_numpy()
        by_chance = float((values[0] == np.random.default_rng(0).permutation(values[1])).mean())
        assert float((values[0] == values[1]).mean()) == pytest.approx(by_chance, abs=0.04), column
    vehicles = [years[year][Table.VEHICULES].groupby("Num_Acc").size().to_numpy() for year in (one, other)]
    assert abs(np.corrcoef(*vehicles)[0, 1]) < 0.08


def test_kinds_of_vehicles_traffic_and_ages_drift_as_documented() -> None:
    """From 2019 to 2029 e-scooters multiply by about 6, and nothing jumps between two neighbours."""
    scooters, mopeds, vehicles, ages = [], [], [], []
    for year in (2019, 2024, 2029):
        cells = generate_sample(8_000, year=year, seed=1)
        catv = cells[Table.VEHICULES]["catv"].astype(int)
        scooters.append((catv == 50).mean())
        mopeds.append(catv.isin([2, 30, 41]).mean())
        vehicles.append(len(catv) / 8_000)
        ages.append((year - pd.to_numeric(cells[Table.USAGERS]["an_nais"], errors="coerce")).mean())
    assert 1.7 < scooters[1] / scooters[0] < 3.2
    assert 1.7 < scooters[2] / scooters[1] < 3.2
    assert mopeds == sorted(mopeds, reverse=True)
    assert vehicles == sorted(vehicles)
    assert vehicles[2] - vehicles[0] < 0.15
    assert 1.0 < ages[2] - ages[0] < 3.0


def test_months_have_more_or_less_traffic_by_year_and_seed() -> None:
    def traffic(year: int, seed: int) -> npt.NDArray[np.float64]:
        return drift_weights(year, np.random.default_rng([seed, year]))["month"]

    assert not np.array_equal(traffic(2020, 0), traffic(2021, 0))
    assert not np.array_equal(traffic(2020, 0), traffic(2020, 1))
    deviations = np.log([traffic(year, seed) for year in range(2005, 2024) for seed in range(5)])
    assert 0.04 < deviations.std() < 0.08


def test_the_reference_year_is_as_counted() -> None:
    assert drift_weights(2024, np.random.default_rng(0)) == {}


def accidents_of(folder: Path, years: tuple[int, ...], accidents: int) -> Accidents:
    source = SourceSettings(years=years, data_folder=folder, sample=SampleSettings(accidents=accidents))
    return ingest(resolve_editions(source), IngestionSettings(source=source)).accidents


def auc_within_and_on(trained_on: Accidents, unseen: Accidents) -> tuple[float, float]:
    """ROC-AUC of LightGBM on the test set of its own years, and on all accidents of another year."""
    settings = TrainingSettings(threads=1)
    bundle = train("lightgbm", feature_frame(trained_on), trained_on.accidents, settings, level="call").bundle
    labels = unseen.accidents[LABEL]
    known = (labels >= 0).to_numpy()
    probabilities = bundle.predict(feature_frame(unseen))[known]
    metrics = compute_metrics(labels[known].to_numpy(np.int8), probabilities, bundle.threshold, bins=15)
    return bundle.metrics["test"]["roc_auc"], metrics["roc_auc"]


def test_a_model_is_as_good_on_the_next_year_as_on_its_own_test_set(tmp_path: Path) -> None:
    within, on_next = auc_within_and_on(
        accidents_of(tmp_path, (2020,), ACCIDENTS), accidents_of(tmp_path, (2021,), ACCIDENTS)
    )
    assert on_next == pytest.approx(within, abs=0.04)


@pytest.mark.long
def test_ten_years_teach_little_more_than_two(tmp_path: Path) -> None:
    unseen = accidents_of(tmp_path, (2024,), 10_000)
    two, on_unseen_of_two = auc_within_and_on(accidents_of(tmp_path, (2022, 2023), 10_000), unseen)
    ten, on_unseen_of_ten = auc_within_and_on(accidents_of(tmp_path, tuple(range(2014, 2024)), 10_000), unseen)
    assert ten < two + 0.03
    assert on_unseen_of_two - 0.005 < on_unseen_of_ten < on_unseen_of_two + 0.03
