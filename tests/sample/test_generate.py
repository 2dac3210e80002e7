"""What a synthetic year is: as many accidents as asked for, the same for the same seed, and whole."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns import Table
from accidents.sample import writer as writing_module
from accidents.sample.writer import generate_sample, write_sample
from tests.sample.conftest import Cells

pytestmark = pytest.mark.slow

KEY = "Num_Acc"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        write_sample(tmp_path / name, accidents=500, seed=seed)
    assert content(tmp_path / "one") == content(tmp_path / "same")
    one, other = content(tmp_path / "one"), content(tmp_path / "other")
    assert all(one[name] != other[name] for name in one if name.endswith(".csv"))


def test_a_seed_does_not_repeat_the_numbers_of_a_split_of_the_same_seed() -> None:
    """Whoever splits accidents with the seed of the sample must not split them by what was drawn."""
    import numpy as np

    cells = generate_sample(4_000, seed=0)
    drawn = np.random.default_rng(0).random(4_000) < 0.7
    urban = (cells[Table.CARACTERISTIQUES]["agg"] == "2").to_numpy()
    paris = (cells[Table.CARACTERISTIQUES]["dep"] == "75").to_numpy()
    assert abs(urban[drawn].mean() - urban[~drawn].mean()) < 0.06
    assert abs(paris[drawn].mean() - paris[~drawn].mean()) < 0.04


@settings(deadline=None, max_examples=10)
@given(accidents=st.integers(1, 400), year=st.integers(2005, 2030), seed=st.integers(0, 2**31))
def test_any_number_of_accidents_of_any_year(accidents: int, year: int, seed: int) -> None:
    cells = generate_sample(accidents, year=year, seed=seed)
    keys = cells[Table.CARACTERISTIQUES].iloc[:, 0]
    assert len(keys) == keys.nunique() == accidents
    assert keys.str.startswith(str(year)).all()
    assert keys.str.len().eq(12).all()
    for table in (Table.LIEUX, Table.VEHICULES, Table.USAGERS):
        assert set(cells[table][KEY]) == set(keys), f"{table} leaves out an accident or invents one"


def test_there_is_no_year_without_accidents() -> None:
    with pytest.raises(ValueError, match="at least one accident"):
        generate_sample(0)


def test_blocks_go_on_numbering(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(writing_module, "BLOCK_SIZE", 100)
    cells = generate_sample(250, seed=1)
    write_sample(tmp_path, accidents=250, seed=1)
    keys = cells[Table.CARACTERISTIQUES][KEY].astype("int64")
    assert keys.tolist() == list(range(202400000001, 202400000251))
    assert cells[Table.VEHICULES]["id_vehicule"].is_unique
    assert cells[Table.USAGERS]["id_usager"].is_unique
    written = pd.read_csv(tmp_path / "usagers-2024.csv", sep=";", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(written, cells[Table.USAGERS])


def test_files_appear_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing_module, "decode_tables", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path, accidents=10)
    assert list(tmp_path.iterdir()) == []


def test_every_accident_hurts_somebody_and_nobody_who_fled(year: Cells) -> None:
    people = year[Table.USAGERS]
    hurt = people["grav"].isin(["2", "3", "4"])
    assert hurt.groupby(people[KEY]).any().all()
    fled = people["sexe"] == " -1"
    assert 0.01 < fled.mean() < 0.03
    assert people.loc[fled, "grav"].isin(["1", " -1"]).all()
    assert (people.loc[fled, "an_nais"] == "").all()


def test_people_belong_to_vehicles_of_their_accident(year: Cells) -> None:
    people, vehicles = year[Table.USAGERS], year[Table.VEHICULES]
    of_vehicle = people["id_vehicule"].map(vehicles.set_index("id_vehicule")[KEY])
    assert (of_vehicle == people[KEY]).all()
    assert people["num_veh"].eq(people["id_vehicule"].map(vehicles.set_index("id_vehicule")["num_veh"])).all()
    assert not vehicles.duplicated([KEY, "num_veh"]).any()
    without = ~vehicles["id_vehicule"].isin(people["id_vehicule"])
    assert 0 < without.sum() < 40


def test_days_exist_and_fall_on_the_weekday_drawn(year: Cells) -> None:
    dates = year[Table.CARACTERISTIQUES][["an", "mois", "jour"]].set_axis(["year", "month", "day"], axis=1)
    parsed = pd.to_datetime(dates.astype("int64"))
    shares = parsed.dt.weekday.value_counts(normalize=True)
    assert shares[4] == shares.max(), "most accidents happen on Fridays"
    assert parsed.dt.month.value_counts(normalize=True).loc[[10, 11, 12]].between(0.07, 0.1).all()


def test_it_is_called_synthetic(tmp_path: Path) -> None:
    write_sample(tmp_path, accidents=10)
    note = (tmp_path / "SYNTHETIC.txt").read_text(encoding="utf-8")
    assert "SYNTHETIC" in note
    assert "interpolated" in note
    assert "data.gouv.fr" in note
