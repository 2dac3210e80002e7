"""Decodes coded accidents into published values, before they are formatted for an edition.

Ids and coordinates are invented, and the rows of `lieux` are laid out. Columns are those of the newest layout; missing
values are -1 and empty texts.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from accidents.columns import MISSING, Table
from accidents.sample import addresses, encoding
from accidents.sample.encoding import CodedFrame, Codes
from accidents.sample.probability_tables import domains
from accidents.sample.sampling import CodedAccidents

FIRST_YEAR_OF_SEVERAL_LIEUX = 2024
SHARE_SECOND_LIEU_AT_JUNCTION = 0.62
SHARE_SECOND_LIEU_ELSEWHERE = 0.10
"""Together they give about the 70,248 rows for 54,402 accidents of 2024."""

ABSURD_SPEEDS = (300, 500, 600, 700, 900)
SHARE_ABSURD_SPEED = 0.0005
SHARE_SWAPPED = 0.0001
"""Share of accidents with swapped latitude and longitude (3 of 40,748)."""

LETTERED_ACTIONS = (10, 11)
"""Getting in or out, and unknown: published as letters, which are missing in the counted files."""

_CELL = 0.1
_ROADS = np.array([1, 130, 200, 1200])
_MOST_LETTERS = 26


@dataclass(frozen=True)
class FirstIds:
    """First unused ids, so that blocks of a year can be written one after the other."""

    accident: int = 1
    vehicle: int = 10_000_001
    person: int = 20_000_001

    def after(self, drawn: CodedAccidents) -> "FirstIds":
        """First unused ids after `drawn` has been numbered from these."""
        return FirstIds(
            self.accident + len(drawn.accident["dep"]),
            self.vehicle + len(drawn.vehicle["owner"]),
            self.person + len(drawn.person["owner"]),
        )


def decode_values(name: str, codes: Codes) -> np.ndarray:
    """Published values of the codes of a variable."""
    return np.array(domains()[name])[codes]


def decode_tables(
    drawn: CodedAccidents, year: int, first: FirstIds, rng: np.random.Generator
) -> dict[Table, pd.DataFrame]:
    """Decode a block of accidents into published values, one frame a table."""
    ids = year * 10**8 + first.accident + np.arange(len(drawn.accident["dep"]))
    lat, long = coordinates(drawn.accident, rng)
    road = road_number(decode_values("catr", drawn.accident["catr"]), lat, long)
    vehicules = vehicle_rows(drawn.vehicle, ids, first.vehicle, rng)
    return {
        Table.CARACTERISTIQUES: accident_rows(drawn.accident, ids, year, (lat, long), road, rng),
        Table.LIEUX: lieux_rows(drawn.accident, ids, road, year, rng),
        Table.VEHICULES: vehicules,
        Table.USAGERS: person_rows(drawn.person, ids, vehicules, year, first.person, rng),
    }


def accident_rows(
    accident: CodedFrame,
    ids: np.ndarray,
    year: int,
    point: tuple[np.ndarray, np.ndarray],
    road: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Rows of `caracteristiques`."""
    lat, long = point
    swapped = rng.random(len(ids)) < SHARE_SWAPPED
    return pd.DataFrame(
        {
            "Num_Acc": ids,
            "jour": day(accident, year, rng),
            "mois": decode_values("month", accident["month"]),
            "an": year,
            "hrmn": decode_values("hour", accident["hour"]) * 60 + decode_values("minute", accident["minute"]),
            "lum": decode_values("lum", accident["lum"]),
            "dep": decode_values("dep", accident["dep"]).astype(object),
            "com": commune(accident, lat, long),
            **decode_variables(accident, "agg int atm col"),
            "adr": addresses.invent_addresses(decode_values("catr", accident["catr"]), road, rng),
            "lat": np.where(swapped, long, lat),
            "long": np.where(swapped, lat, long),
        }
    )


def vehicle_rows(vehicle: CodedFrame, ids: np.ndarray, first: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of `vehicules`."""
    return pd.DataFrame(
        {
            "Num_Acc": ids[vehicle["owner"]],
            "id_vehicule": first + np.arange(len(vehicle["owner"])),
            "num_veh": vehicle_labels(vehicle, rng),
            **decode_variables(vehicle, "senc catv obs obsm choc manv motor"),
            "occutc": occupants(vehicle, rng),
        }
    )


def person_rows(
    person: CodedFrame, ids: np.ndarray, vehicules: pd.DataFrame, year: int, first: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows of `usagers`."""
    age = decode_values("age", person["age"])
    own = vehicules.iloc[person["vehicle"]]
    rows = pd.DataFrame(
        {
            "Num_Acc": ids[person["owner"]],
            "id_usager": first + np.arange(len(person["owner"])),
            "id_vehicule": own["id_vehicule"].to_numpy(),
            "num_veh": own["num_veh"].to_numpy(),
            "place": decode_values("place", person["place"]),
            "catu": person["role"] + 1,
            "grav": person["grav"],
            "sexe": decode_values("sexe", person["sexe"]),
            "an_nais": np.where(age < 0, MISSING, year - age),
            **decode_variables(person, "trajet secu1 secu2 secu3 locp actp etatp"),
        }
    )
    unnamed = (person["role"] == encoding.PEDESTRIAN) & (rows["locp"] > 0) & (rows["actp"] == MISSING)
    rows.loc[unnamed, "actp"] = rng.choice(LETTERED_ACTIONS, size=int(unnamed.sum()))
    return rows


def decode_variables(frame: CodedFrame, variables: str) -> CodedFrame:
    """Published values of several variables, whose names are separated by spaces."""
    return {name: decode_values(name, frame[name]) for name in variables.split()}


def road_number(catr: Codes, lat: np.ndarray, long: np.ndarray) -> np.ndarray:
    """Road numbers, the same for all roads of a category within 0.2 degrees."""
    return 1 + (np.floor(lat * 5) * 7919 + np.floor(long * 5) * 104_729).astype(int) % _ROADS[np.clip(catr, 0, 3)]


def day(accident: CodedFrame, year: int, rng: np.random.Generator) -> np.ndarray:
    """A day of the month that falls on the sampled weekday."""
    month = decode_values("month", accident["month"])
    starts = np.datetime64(f"{year}-01", "M") + np.arange(13)
    dates = starts.astype("datetime64[D]")
    first_weekday = (dates.astype(int) + 3) % 7
    length = np.diff(dates.astype(int))
    first = (accident["weekday"] - first_weekday[month - 1]) % 7
    weeks = (length[month - 1] - first - 1) // 7 + 1
    return 1 + first + 7 * (rng.random(len(month)) * weeks).astype(int)


def coordinates(accident: CodedFrame, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A point in the sampled cell of 0.1 degrees; without one, a point near the middle of the department."""
    corners = np.array([[int(part) for part in str(cell).split("|")] if cell else [0, 0] for cell in domains()["cell"]])
    listed = np.array([bool(cell) for cell in domains()["cell"]])[accident["cell"]]
    corner = corners[accident["cell"]]
    quartiles = np.array(domains()["centre"])[accident["dep"]]
    share = rng.random(corner.shape)
    around = quartiles[:, :2] + share * (quartiles[:, 2:] - quartiles[:, :2])
    points = np.where(listed[:, None], (corner + share) * _CELL, around).round(6)
    return points[:, 0], points[:, 1]


def commune(accident: CodedFrame, lat: np.ndarray, long: np.ndarray) -> np.ndarray:
    """The sampled commune; without one, an invented number of the department that depends on the place."""
    drawn = decode_values("com", accident["com"]).astype(object)
    department = decode_values("dep", accident["dep"])
    spot = (np.floor(lat * 20) * 31 + np.floor(long * 20) * 17).astype(int)
    local = np.char.str_len(department) == 3
    numbers = np.where(local, 1 + spot % 20, 1 + spot % 300)
    invented = [
        f"{name}{number:02d}" if overseas else f"{name}{number:03d}"
        for name, number, overseas in zip(department, numbers, local, strict=True)
    ]
    # Cells reach over borders; a commune never does.
    inside = np.char.startswith(drawn.astype(str), department)
    return np.where(inside, drawn, np.array(invented, dtype=object))


def vehicle_labels(vehicle: CodedFrame, rng: np.random.Generator) -> np.ndarray:
    """`A01`, `B01`, … in order, and `Z01` for some of the vehicles that fled, at most one an accident."""
    letters = np.array([f"{chr(ord('A') + number)}01" for number in range(_MOST_LETTERS)], dtype=object)
    labels = letters[vehicle["position"]]
    fled = np.flatnonzero((vehicle["fled"] == 1) & (rng.random(len(labels)) < 0.45))
    fled = fled[encoding.position_within(vehicle["owner"][fled]) == 0]
    labels[fled] = "Z01"
    return labels


def occupants(vehicle: CodedFrame, rng: np.random.Generator) -> np.ndarray:
    """Occupants of public transport: missing, one, or several."""
    several = 2 + np.minimum(rng.geometric(0.15, size=len(vehicle["owner"])), 48)
    return np.select([vehicle["occupants"] == 0, vehicle["occupants"] == 1], [MISSING, 1], several)


def lieux_rows(
    accident: CodedFrame, ids: np.ndarray, road: np.ndarray, year: int, rng: np.random.Generator
) -> pd.DataFrame:
    """The road of every accident and, in the newest editions, a lesser road that it crosses for some."""
    catr = decode_values("catr", accident["catr"])
    rows = len(catr)
    police = accident["police"] == 1
    vma = decode_values("vma", accident["vma"])
    absurd = rng.random(rows) < SHARE_ABSURD_SPEED
    post = accident["post"]
    main = pd.DataFrame(
        {
            "Num_Acc": ids,
            "catr": catr,
            "voie": addresses.invent_road_numbers(catr, road, rng),
            "v1": np.where(~police & (rng.random(rows) < 0.4), MISSING, 0),
            "v2": np.where(rng.random(rows) < 0.08, np.where(catr == 3, "D", "A"), addresses.MISSING_TEXT).astype(
                object
            ),
            **decode_variables(accident, "circ nbv vosp prof"),
            "pr": np.select([post == 0, post == 1], [MISSING, 0], rng.geometric(0.06, size=rows)),
            "pr1": np.select([post == 0, rng.random(rows) < 0.15], [MISSING, 0], rng.integers(20, size=rows) * 50),
            "plan": decode_values("plan", accident["plan"]),
            "lartpc": np.where(rng.random(rows) < 0.0005, 30, MISSING),
            "larrout": decode_values("larrout", accident["larrout"]),
            **decode_variables(accident, "surf infra situ"),
            "vma": np.where(absurd, rng.choice(ABSURD_SPEEDS, size=rows), vma),
            "env1": rng.choice(np.array(["00", "03", "99"], dtype=object), size=rows, p=[0.65, 0.05, 0.3]),
        }
    )
    if year < FIRST_YEAR_OF_SEVERAL_LIEUX:
        return main
    junction = decode_values("int", accident["int"]) > 1
    share = np.where(junction, SHARE_SECOND_LIEU_AT_JUNCTION, SHARE_SECOND_LIEU_ELSEWHERE)
    second = main[rng.random(rows) < share].copy()
    second["catr"] = np.maximum(second["catr"], 4)
    second["voie"] = addresses.invent_road_numbers(second["catr"].to_numpy(), np.ones(len(second), dtype=int), rng)
    second["vma"] = np.where(second["vma"] > 50, 50, second["vma"])
    second["nbv"] = np.minimum(second["nbv"], 2)
    return pd.concat([main, second]).sort_values("Num_Acc", kind="stable", ignore_index=True)
