"""Samples coded accidents, vehicles and people from the probability tables, variable by variable."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from accidents.columns import MISSING
from accidents.sample import encoding, injuries
from accidents.sample.bayesian_network import CIRCUMSTANCES, NETWORK, PERSON, PLACE, VEHICLE, VEHICLE_KIND, Network
from accidents.sample.encoding import CodedFrame, Codes
from accidents.sample.probability_tables import (
    ConditionalProbabilityTable,
    build_probability_table,
    counts_by_variable,
    domains,
)

FALLBACK_VALUES = {"cell": "", "com": ""}
"""Values for rare combinations, of variables that must not fall back on the marginal distribution."""

SHARE_WITHOUT_PERSON = 0.01
"""Share of the vehicles whose driver fled that have nobody recorded (24 of 92,678 vehicles in 2024)."""

SHARE_UNKNOWN_INJURY = 0.03
"""Share of the people who fled whose injury is missing: none in 2024, some in earlier editions."""


@dataclass(frozen=True)
class CodedAccidents:
    """Coded frames of accidents; rows of `vehicle` and `person` are sorted by `owner`, the row of their accident."""

    accident: CodedFrame
    vehicle: CodedFrame
    person: CodedFrame

    def injury_features(self) -> CodedFrame:
        """Variables of the accidents that their injuries depend on, derived from vehicles and people as well."""
        return injuries.injury_features(self.accident, self.vehicle, self.person, encode("secu1", 0))


@cache
def probability_table(name: str) -> ConditionalProbabilityTable:
    """The conditional probability table of a variable of the network, as counted."""
    size = encoding.domain_sizes(domains())
    fallback = encode(name, FALLBACK_VALUES[name]) if name in FALLBACK_VALUES else None
    return build_probability_table(
        counts_by_variable()[name], size[name], [size[parent] for parent in NETWORK[name]], fallback
    )


def encode(name: str, value: int | str) -> int:
    """Code of a published value of a variable."""
    return domains()[name].index(value)


class AccidentSampler:
    """Samples accidents.

    Args:
        rng: random number generator.
        weights: of the values of some variables, float64, from `drift_weights`.
    """

    def __init__(
        self, rng: np.random.Generator, weights: Mapping[str, NDArray[np.float64]] = MappingProxyType({})
    ) -> None:
        self.rng = rng
        self.reweighted = {name: probability_table(name).reweighted(values) for name, values in weights.items()}

    def table(self, name: str) -> ConditionalProbabilityTable:
        """The conditional probability table of a variable, with its weights."""
        return self.reweighted.get(name) or probability_table(name)

    def sample(self, accidents: int) -> CodedAccidents:
        """Sample a number of accidents with their injuries."""
        result = self.sample_without_injuries(accidents)
        person = result.person
        person["grav"] = injuries.sample_injuries(result.injury_features(), person, self.table, self.rng)
        unknown = (person["fled"] == 1) & (self.rng.random(len(person["grav"])) < SHARE_UNKNOWN_INJURY)
        person["grav"][unknown] = MISSING
        return result

    def sample_without_injuries(self, accidents: int) -> CodedAccidents:
        """Sample a number of accidents without their injuries."""
        accident: CodedFrame = {}
        self.sample_variables(accident, PLACE, accidents)
        vehicle = self.sample_vehicle_kinds(accident)
        self.sample_circumstances(accident, vehicle)
        self.sample_sequentially(vehicle, VEHICLE)
        self.keep_somebody_at_the_scene(accident, vehicle)
        return CodedAccidents(accident, vehicle, self.sample_people(accident, vehicle))

    def sample_variables(self, frame: CodedFrame, variables: Network, rows: int) -> None:
        """Sample variables for all rows of a frame, each given the ones before."""
        for name, parents in variables.items():
            frame[name] = self.table(name).sample([frame[parent] for parent in parents], self.rng.random(rows))

    def sample_vehicle_kinds(self, accident: CodedFrame) -> CodedFrame:
        """Vehicles with their kinds, one row a vehicle, and the variables of their accidents."""
        counts = accident["vehicles"] + 1
        owner = np.repeat(np.arange(len(counts)), counts)
        vehicle = {name: values[owner] for name, values in accident.items()}
        vehicle |= {"owner": owner, "position": encoding.position_within(owner)}
        self.sample_sequentially(vehicle, VEHICLE_KIND)
        return vehicle

    def sample_sequentially(self, vehicle: CodedFrame, variables: Network) -> None:
        """Sample variables of the first vehicle of every accident, then of the second given the first, and so on."""
        size = encoding.domain_sizes(domains())
        rows = len(vehicle["owner"])
        chained = [parent for parents in variables.values() for parent in parents if parent.startswith("previous_")]
        for name in variables:
            vehicle[name] = np.zeros(rows, dtype=np.int64)
        for name in chained:
            vehicle.setdefault(name, np.full(rows, size[name] - 1))
        for position in range(int(vehicle["position"].max()) + 1):
            chosen = np.flatnonzero(vehicle["position"] == position)
            if position:
                for name in chained:
                    vehicle[name][chosen] = vehicle[name.removeprefix("previous_")][chosen - 1]
            for name, parents in variables.items():
                conditions = [vehicle[parent][chosen] for parent in parents]
                vehicle[name][chosen] = self.table(name).sample(conditions, self.rng.random(len(chosen)))

    def sample_circumstances(self, accident: CodedFrame, vehicle: CodedFrame) -> None:
        """Time, light, weather, collision and road of every accident; its vehicles get them as well."""
        rows = len(accident["dep"])
        accident["weak"], accident["strong"] = encoding.weakest_and_strongest_kind(
            vehicle["owner"], vehicle["kind"], rows
        )
        accident["overseas"] = encoding.is_overseas(domains()["dep"])[accident["dep"]]
        self.sample_variables(accident, {"month": NETWORK["month"]}, rows)
        accident["light_month"] = encoding.light_month(accident["month"])
        accident["weather_month"] = encoding.weather_month(accident["month"], self.rng.random(rows))
        self.sample_variables(
            accident, {name: parents for name, parents in CIRCUMSTANCES.items() if name != "month"}, rows
        )
        accident["hour_band"] = encoding.hour_band(accident["hour"])
        vehicle |= {name: values[vehicle["owner"]] for name, values in accident.items() if name not in vehicle}

    def keep_somebody_at_the_scene(self, accident: CodedFrame, vehicle: CodedFrame) -> None:
        """Undo the flight of the first vehicle where an accident would have nobody left."""
        staying = np.bincount(vehicle["owner"], weights=1 - vehicle["fled"], minlength=len(accident["dep"]))
        deserted = (staying == 0) & (accident["pedestrians"] == 0)
        vehicle["fled"][deserted[vehicle["owner"]] & (vehicle["position"] == 0)] = 0

    def sample_people(self, accident: CodedFrame, vehicle: CodedFrame) -> CodedFrame:
        """Drivers, passengers and pedestrians; a pedestrian belongs to the first vehicle."""
        vehicles = np.arange(len(vehicle["owner"]))
        driven = (vehicle["fled"] == 0) | (self.rng.random(len(vehicles)) >= SHARE_WITHOUT_PERSON)
        riding = np.repeat(vehicles, np.where(driven, vehicle["passengers"], 0))
        walking = np.repeat(vehicles[vehicle["position"] == 0], accident["pedestrians"])
        crowds = (vehicles[driven], riding, walking)
        own = np.concatenate(crowds)
        role = np.repeat([encoding.DRIVER, encoding.PASSENGER, encoding.PEDESTRIAN], [len(crowd) for crowd in crowds])
        order = np.lexsort((role, own))
        own, role = own[order], role[order]
        person = {name: values[own] for name, values in vehicle.items()}
        person |= {"vehicle": own, "role": role, "fled": vehicle["fled"][own] * (role == encoding.DRIVER)}
        person["own"] = encoding.exposure(role, person["kind"])
        person["seat"] = encoding.seat_order(own, role)
        self.sample_ages(person)
        self.sample_variables(
            person, {name: parents for name, parents in PERSON.items() if name not in ("age", "sexe")}, len(own)
        )
        fled = person["fled"] == 1
        for name in ("trajet", "secu1", "secu2"):
            person[name][fled] = encode(name, MISSING)
        return person

    def sample_ages(self, person: CodedFrame) -> None:
        """Sample age and sex of drivers, then of everybody else, given their driver if they have one."""
        people = len(person["role"])
        driver = person["role"] == encoding.DRIVER
        driver_of = np.full(int(person["vehicle"].max()) + 1, -1)
        driver_of[person["vehicle"][driver]] = np.flatnonzero(driver)
        own_driver = driver_of[person["vehicle"]]
        carried = (person["role"] == encoding.PASSENGER) & (own_driver >= 0)
        person["driver_band"] = np.full(people, encoding.UNKNOWN_AGE + 1)
        for name in ("driver_sexe", "age", "band", "sexe"):
            person[name] = np.zeros(people, dtype=np.int64)
        self.sample_ages_of(person, np.flatnonzero(driver))
        person["driver_band"][carried] = person["band"][own_driver[carried]]
        person["driver_sexe"][carried] = encoding.driver_sexe(domains()["sexe"])[person["sexe"][own_driver[carried]]]
        self.sample_ages_of(person, np.flatnonzero(~driver))

    def sample_ages_of(self, person: CodedFrame, rows: Codes) -> None:
        """Sample age, age band and sex of some people; they are missing for those who fled."""
        some = {name: values[rows] for name, values in person.items()}
        fled = some["fled"] == 1
        self.sample_variables(some, {"age": PERSON["age"]}, len(rows))
        some["age"][fled] = encode("age", MISSING)
        some["band"] = encoding.age_band(np.array(domains()["age"])[some["age"]])
        self.sample_variables(some, {"sexe": PERSON["sexe"]}, len(rows))
        some["sexe"][fled] = encode("sexe", MISSING)
        for name in ("age", "band", "sexe"):
            person[name][rows] = some[name]
