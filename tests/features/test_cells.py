import numpy as np
import pytest

from accidents.features import feature_frame
from accidents.features.cells import insee_number, locate_cells, road_number
from tests.features.generated import random_accidents

NUMBERED = {
    "D438": 438,
    "RN 104": 104,
    "AUTOROUTE A6": 6,
    "Autoroute A.35": 35,
    "A35-Sens Colmar": 35,
    "7": 7,
    "0012": 12,
    "40D": 40,
}


@pytest.mark.parametrize(("text", "number"), NUMBERED.items())
def test_numbered_roads(text: str, number: int) -> None:
    assert road_number(text) == number


def test_streets_are_known_by_their_words() -> None:
    assert road_number("HOTEL DIEU (RUE DE L')") == road_number("Rue de l'Hôtel-Dieu") > 1 << 20
    assert road_number("11 NOVEMBRE (RUE DU)") > 1 << 20
    assert road_number("RUE HENRI BARBUSSE") != road_number("RUE ANATOLE FRANCE")
    assert road_number(None) == road_number("") == road_number("()") == -1


def test_corsica_has_its_own_numbers() -> None:
    assert len({insee_number(text) for text in ("20004", "2A004", "2B004")}) == 3
    assert insee_number(None) == -1


def test_keys_are_missing_where_their_parts_are() -> None:
    places = np.array([[-1, -1, 438], [24, 24322, -1], [24, -1, 5_000_000]])
    coordinates = np.array([[np.nan, 1.0], [45.0, np.nan], [45.18, 0.72]])
    cells = locate_cells(places, np.array([3, 3, 4], dtype=np.int16), coordinates)
    assert cells[:, 2].tolist() == [-1, -1, -1]
    assert (cells[:2, 3:] == -1).all()
    assert (cells[2, 3:] > 0).all()


def test_near_accidents_share_a_cell_and_far_ones_do_not() -> None:
    places = np.full((3, 3), 1)
    _, _, _, area, spot = locate_cells(
        places, np.ones(3, np.int16), np.array([[48.601, 2.401], [48.605, 2.405], [48.649, 2.405]])
    ).T
    assert spot[0] == spot[1] != spot[2]
    assert area[0] == area[1] == area[2]


def test_a_numbered_road_belongs_to_its_department_and_a_street_to_its_commune() -> None:
    street = 5_000_000
    places = np.array([[24, 1, 438], [24, 2, 438], [33, 3, 438], [24, 1, street], [24, 2, street]])
    road = locate_cells(places, np.full(5, 3, np.int16), np.zeros((5, 2)))[:, 2]
    assert road[0] == road[1] != road[2]
    assert road[3] != road[4]


def test_the_frame_has_cells_as_integers() -> None:
    frame = feature_frame(random_accidents(3))
    columns = [name for name in frame if str(name).startswith("cell_")]
    assert len(columns) == 5
    assert {str(frame[name].dtype) for name in columns} == {"int64"}


def test_numbers_and_cells_stay_what_they_were_when_older_models_were_trained() -> None:
    """The place encoder of a stored model looks places up by these numbers."""
    assert [insee_number(text) for text in ("2A004", "75")] == [3825796, 257]
    assert road_number("Rue de l'Hôtel-Dieu") == 3683222872
    places = np.array([[257, 11991929, 3683222872], [82, 3825796, 438]])
    coordinates = np.array([[48.8412, 2.3003], [41.9267, 8.7369]])
    assert locate_cells(places, np.array([4, 3], np.int16), coordinates).tolist() == [
        [257, 11991929, 103009889425130840, 2199705878538, 2204145549388],
        [82, 3825796, 11295763988918, 2199609409574, 2203419935011],
    ]
