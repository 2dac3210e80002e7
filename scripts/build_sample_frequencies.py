"""Build the frequency tables of the synthetic year from the real months of 2024, and fit the scores of its label.

    python -m scripts.build_sample_frequencies path/to/baac/2024

writes `frequencies.parquet`, `domains.json` and `scores.parquet` of `accidents/sample`. Needed only when the network of
variables or the factors of the label change. The files hold counts of frequent combinations and fitted scores, no row
of the source.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from accidents.columns import MISSING
from accidents.sample import encoding, injuries
from accidents.sample.bayesian_network import CIRCUMSTANCES, INJURY, PERSON, PLACE, VEHICLE, VEHICLE_KIND
from accidents.sample.encoding import CodedFrame
from accidents.sample.probability_tables import COUNTS, DOMAINS, MIN_COUNT, SCORES, count_combinations
from accidents.sample.sampling import AccidentSampler
from scripts.sample_label_scores import fit_scores

YEAR = 2024
LEAST_ACCIDENTS_OF_A_COMMUNE = 20
OLDEST = 100

SYNTHETIC_ACCIDENTS = 150_000
SEED = 20_240_930
VEHICLE_COLUMNS = ("catv", "manv", "choc", "obs", "obsm", "senc", "motor")
PERSON_COLUMNS = ("sexe", "place", "trajet", "secu1", "secu2", "secu3", "locp", "actp", "etatp")
UNITS = {
    "accident": PLACE | CIRCUMSTANCES,
    "vehicle": VEHICLE_KIND | VEHICLE,
    "person": PERSON | INJURY,
}
"""Variables by the coded frame that they are counted in."""


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the four files as stripped strings."""
    frames = {}
    for table in ("caract", "lieux", "vehicules", "usagers"):
        frame = pd.read_csv(folder / f"{table}-{YEAR}.csv", sep=";", dtype=str, keep_default_na=False)
        frames[table] = frame.apply(lambda column: column.str.strip())
    return frames


def integers(texts: pd.Series) -> np.ndarray:
    """Parse integers; anything else becomes -1."""
    return pd.to_numeric(texts, errors="coerce").fillna(MISSING).astype(int).to_numpy()


def encoded(raw: CodedFrame, domains: dict[str, list]) -> CodedFrame:
    """Encode values as positions in their domain; new domains are added to `domains`."""
    codes = {}
    for name, values in raw.items():
        if name not in domains:
            domains[name] = sorted(set(values.tolist()))
        codes[name] = pd.Index(domains[name]).get_indexer(values)
    return codes


def accident_facts(caract: pd.DataFrame, lieux: pd.DataFrame) -> CodedFrame:
    """Published columns of accidents, one row an accident."""
    corner = np.floor(degrees(caract) * 10).astype(int).astype(str)
    cell = corner["lat"] + "|" + corner["long"]
    frequent = cell.groupby([caract["dep"], cell]).transform("size") >= MIN_COUNT
    com = caract["com"]
    metres = pd.to_numeric(lieux["larrout"].str.replace(",", "."), errors="coerce").fillna(MISSING)
    facts = {
        "dep": caract["dep"].to_numpy(str),
        "cell": cell.where(frequent, "").to_numpy(str),
        "com": com.where(com.groupby(com).transform("size") >= LEAST_ACCIDENTS_OF_A_COMMUNE, "").to_numpy(str),
        "month": integers(caract["mois"]),
        "weekday": pd.to_datetime(
            {"year": YEAR, "month": integers(caract["mois"]), "day": integers(caract["jour"])}
        ).dt.weekday.to_numpy(),
        "hour": integers(caract["hrmn"].str[:2]),
        "minute": integers(caract["hrmn"].str[3:]),
        "larrout": np.where(metres < 0, MISSING, metres * 10).round().astype(int),
        "post": np.where(lieux["pr"] == "-1", 0, np.where(lieux["pr"] == "0", 1, 2)),
    }
    for column in ("agg", "lum", "atm", "int", "col"):
        facts[column] = integers(caract[column])
    for column in ("catr", "vma", "circ", "nbv", "vosp", "prof", "plan", "surf", "infra", "situ"):
        facts[column] = integers(lieux[column])
    return facts


def previous(values: np.ndarray, position: np.ndarray, none: int) -> np.ndarray:
    """The value of the previous vehicle of the same accident, `none` for the first."""
    return np.where(position == 0, none, np.r_[none, values[:-1]])


def coded_year(raw: dict[str, pd.DataFrame]) -> tuple[dict[str, CodedFrame], dict[str, list]]:
    """Encoded accidents, vehicles and people with all conditioning variables, and the domains of the codes."""
    domains: dict[str, list] = {}
    number = pd.Index(raw["caract"]["Num_Acc"])
    lieux = raw["lieux"].set_index("Num_Acc").loc[number].reset_index()
    vehicules = raw["vehicules"].assign(owner=number.get_indexer(raw["vehicules"]["Num_Acc"]))
    vehicules = vehicules.sort_values(["owner", "num_veh", "id_vehicule"], ignore_index=True)
    usagers = raw["usagers"].assign(owner=number.get_indexer(raw["usagers"]["Num_Acc"]))
    usagers["vehicle"] = pd.Index(vehicules["id_vehicule"]).get_indexer(usagers["id_vehicule"])
    usagers = usagers.sort_values(["owner", "vehicle", "catu", "place"], ignore_index=True)

    accident = encoded(accident_facts(raw["caract"], lieux), domains)
    accident |= conditions_of_accidents(accident, vehicules, usagers, domains)
    vehicle = coded_vehicles(accident, vehicules, usagers, domains)
    person = coded_people(vehicle, usagers, domains)
    severe = np.isin(person["grav"], (2, 3))
    label = {"priority": np.bincount(person["owner"], weights=severe).clip(max=1).astype(int)}
    accident = injuries.injury_features(accident, vehicle, person, domains["secu1"].index(0)) | label
    person |= injury_facts(accident, person)
    domains["month"] = list(range(1, 13))
    domains["centre"] = centres(raw["caract"])
    return {"accident": accident, "vehicle": vehicle, "person": person}, domains


def conditions_of_accidents(
    accident: CodedFrame, vehicules: pd.DataFrame, usagers: pd.DataFrame, domains: dict[str, list]
) -> CodedFrame:
    """Further conditioning variables of accidents."""
    accidents = len(accident["dep"])
    owner, role = usagers["owner"].to_numpy(), integers(usagers["catu"]) - 1
    vehicle_owner = vehicules["owner"].to_numpy()
    weak, strong = encoding.weakest_and_strongest_kind(
        vehicle_owner, encoding.vehicle_kind(integers(vehicules["catv"])), accidents
    )
    walkers = np.bincount(owner[role == encoding.PEDESTRIAN], minlength=accidents)
    # Two forces fill in the form in two styles: what is not applicable is 0 in one of them, -1 in the other.
    zeros = (usagers["locp"] == "0").to_numpy() & (role != encoding.PEDESTRIAN)
    return {
        "police": np.bincount(owner[zeros], minlength=accidents).clip(max=1),
        "vehicles": np.bincount(vehicle_owner, minlength=accidents).clip(max=encoding.MAX_VEHICLES) - 1,
        "pedestrians": walkers.clip(max=encoding.MAX_PEDESTRIANS),
        "weak": weak,
        "strong": strong,
        "light_month": accident["month"],
        "weather_month": accident["month"],
        "overseas": encoding.is_overseas(domains["dep"])[accident["dep"]],
        "hour_band": encoding.hour_band(accident["hour"]),
    }


def coded_vehicles(
    accident: CodedFrame, vehicules: pd.DataFrame, usagers: pd.DataFrame, domains: dict[str, list]
) -> CodedFrame:
    """Encoded vehicles: columns of their accident, their own, and those of the previous vehicle."""
    owner = vehicules["owner"].to_numpy()
    position = encoding.position_within(owner)
    own, role = usagers["vehicle"].to_numpy(), integers(usagers["catu"]) - 1
    fleeing = (role == encoding.DRIVER) & (usagers["sexe"] == str(MISSING)).to_numpy()
    passengers = np.bincount(own[role == encoding.PASSENGER], minlength=len(owner))
    occupants = integers(vehicules["occutc"])
    vehicle = {name: values[owner] for name, values in accident.items()}
    vehicle |= encoded({name: integers(vehicules[name]) for name in VEHICLE_COLUMNS}, domains)
    vehicle |= {
        "owner": owner,
        "position": position,
        "kind": encoding.vehicle_kind(integers(vehicules["catv"])),
        "fled": np.bincount(own[fleeing], minlength=len(owner)),
        "occupants": np.select([occupants == MISSING, occupants == 1], [0, 1], 2),
        "passengers": passengers.clip(max=encoding.MAX_PASSENGERS),
    }
    nothing = {"kind": encoding.NO_KIND, "manv": len(domains["manv"]), "choc": len(domains["choc"])}
    before = {f"previous_{name}": previous(vehicle[name], position, none) for name, none in nothing.items()}
    return vehicle | before


def coded_people(vehicle: CodedFrame, usagers: pd.DataFrame, domains: dict[str, list]) -> CodedFrame:
    """Encoded people: columns of their accident, their vehicle, their own, and those of their driver."""
    own, role = usagers["vehicle"].to_numpy(), integers(usagers["catu"]) - 1
    born, sexe = integers(usagers["an_nais"]), integers(usagers["sexe"])
    age = np.where(born < 0, MISSING, YEAR - born).clip(max=OLDEST)
    driver = role == encoding.DRIVER
    driver_of = np.full(len(vehicle["owner"]), MISSING)
    driver_of[own[driver]] = np.flatnonzero(driver)
    own_driver = driver_of[own]
    carried = (role == encoding.PASSENGER) & (own_driver >= 0)
    person = {name: values[own] for name, values in vehicle.items()}
    person |= encoded({name: integers(usagers[name]) for name in PERSON_COLUMNS} | {"age": age}, domains)
    return person | {
        "role": role,
        "vehicle": own,
        "band": encoding.age_band(age),
        "driver_band": np.where(carried, encoding.age_band(age[own_driver]), encoding.UNKNOWN_AGE + 1),
        "driver_sexe": np.where(carried, encoding.driver_sexe(sexe.tolist())[own_driver], 0),
        "seat": encoding.seat_order(own, role),
        "known": (sexe != MISSING).astype(int),
        "grav": integers(usagers["grav"]),
    }


def interpolated(month: np.ndarray, conditions: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Interpolate October, November and December: one, two and three quarters of the way from September to January."""
    january, september = np.flatnonzero(month == 0), np.flatnonzero(month == 8)
    added = []
    for quarter, missing in enumerate((9, 10, 11), start=1):
        rows = np.concatenate(
            [january[: len(january) * quarter // 4], september[: len(september) * (4 - quarter) // 4]]
        )
        added.append((np.full(len(rows), missing), rows))
    months = np.concatenate([month, *(values for values, _ in added)])
    rows = np.concatenate([np.arange(len(month)), *(rows for _, rows in added)])
    return months, [condition[rows] for condition in conditions]


def count_all(frames: dict[str, CodedFrame], domains: dict[str, list]) -> pd.DataFrame:
    """Count the frequency tables of all variables of the network, concatenated."""
    size = encoding.domain_sizes(domains)
    parts = []
    for unit, variables in UNITS.items():
        for name, parents in variables.items():
            frame = selection(frames[unit], name)
            values, conditions = frame[name], [frame[parent] for parent in parents]
            if name == "month":
                values, conditions = interpolated(values, conditions)
            parts.append(
                count_combinations(values, size[name], conditions, [size[parent] for parent in parents]).assign(
                    variable=name
                )
            )
    return pd.concat(parts, ignore_index=True)


def selection(frame: CodedFrame, name: str) -> CodedFrame:
    """Rows that count for a variable: of people who fled nothing is recorded."""
    if name in PERSON:
        chosen = frame["known"] == 1
    elif name in INJURY:
        chosen = (frame["known"] == 1) & frame[f"may_{name}"]
    else:
        return frame
    return {key: values[chosen] for key, values in frame.items()}


def injury_facts(accident: CodedFrame, person: CodedFrame) -> CodedFrame:
    """Indicators of injuries, and of the people to whom each applies."""
    owner = person["owner"]
    severe = np.isin(person["grav"], (2, 3))
    slight = person["grav"] == 4
    others_severe = np.bincount(owner, weights=severe)[owner] - severe
    others_slight = np.bincount(owner, weights=slight)[owner] - slight
    several = accident["people"][owner] > 1
    priority = accident["priority"][owner]
    return {
        "own": encoding.exposure(person["role"], person["kind"]),
        "exposure": accident["exposure"][owner],
        "priority": priority,
        "severe": severe.astype(int),
        "also_severe": severe.astype(int),
        "killed": (person["grav"] == 2).astype(int),
        "slight": slight.astype(int),
        "also_slight": slight.astype(int),
        "may_severe": several & (priority == 1),
        "may_also_severe": others_severe > 0,
        "may_killed": severe,
        "may_slight": several & ~severe,
        "may_also_slight": ~severe & ((others_slight > 0) | (priority == 1)),
    }


def degrees(caract: pd.DataFrame) -> pd.DataFrame:
    """Latitudes and longitudes as numbers."""
    return caract[["lat", "long"]].apply(lambda column: column.str.replace(",", ".").astype(float))


def centres(caract: pd.DataFrame) -> list[list[float]]:
    """First and third quartiles of latitude and longitude in every department; zeros where it has few accidents."""
    by_department = degrees(caract).groupby(caract["dep"])
    quartiles = pd.concat([by_department.quantile(0.25), by_department.quantile(0.75)], axis=1).round(2)
    return quartiles.where(by_department.size() >= MIN_COUNT, 0.0).to_numpy().tolist()


def main(folder: Path) -> None:
    """Count the frequencies, draw synthetic accidents from them, and fit the scores to these."""
    year, domains = coded_year(read(folder))
    counts = count_all(year, domains).astype({"variable": "category"})
    counts = counts.astype({"depth": "int8", "combination": "int64", "value": "int16", "count": "int32"})
    counts.to_parquet(COUNTS, compression="zstd", compression_level=19, index=False)
    DOMAINS.write_text(json.dumps(domains, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    synthetic = (
        AccidentSampler(np.random.default_rng(SEED)).sample_without_injuries(SYNTHETIC_ACCIDENTS).injury_features()
    )
    scores = fit_scores(year["accident"], synthetic, encoding.domain_sizes(domains))
    scores.to_parquet(SCORES, compression="zstd", index=False)
    print(f"{len(counts):,} counts, {len(scores):,} scores; prevalence {year['accident']['priority'].mean():.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
