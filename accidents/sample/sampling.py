"""Draws coded accidents, their vehicles and their people from the committed tables, one block at a time.

The output is three coded frames (see `coding`); what their cells look like in a file is the business of `layouts`.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from accidents.columns import MISSING
from accidents.sample import encoding, injuries
from accidents.sample.bayesian_network import CIRCUMSTANCES, NETWORK, PERSON, PLACE, VEHICLE, VEHICLE_KIND, Network
from accidents.sample.encoding import CodedFrame, Codes
from accidents.sample.probability_tables import ConditionalProbabilityTable, build_probability_table, domains, tables

CATCH_ALL = {"cell": "", "com": ""}
"""What is drawn where a combination is rare, for variables that must not be borrowed from elsewhere."""

SHARE_WITHOUT_PERSON = 0.01
"""Of the vehicles whose driver fled: those of which nobody is recorded (24 of 92,678 vehicles in 2024)."""

SHARE_UNKNOWN_INJURY = 0.03
"""Of the people who fled: those whose injury is not recorded. None in 2024, some in the editions before."""


@dataclass(frozen=True)
class CodedAccidents:
    """Coded frames. Rows of `vehicle` and `person` stand in the order of `owner`, the row of their accident."""

    accident: CodedFrame
    vehicle: CodedFrame
    person: CodedFrame


@cache
def distribution(name: str) -> ConditionalProbabilityTable:
    """The distribution of a variable of the network."""
    size = encoding.sizes(domains())
    catch_all = encode(name, CATCH_ALL[name]) if name in CATCH_ALL else None
    return build_probability_table(tables()[name], size[name], [size[parent] for parent in NETWORK[name]], catch_all)


def encode(name: str, value: int | str) -> int:
    """Code of a published value."""
    return domains()[name].index(value)


def injury_features(year: CodedAccidents) -> CodedFrame:
    """Facts of accidents, with those of their vehicles and people that their injuries depend on."""
    return injuries.injury_features(year.accident, year.vehicle, year.person, encode("secu1", 0))


class AccidentSampler:
    """Draws years; holds nothing but the generator of random numbers."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def year(self, accidents: int) -> CodedAccidents:
        """Coded frames of `accidents` accidents."""
        year = self.unhurt(accidents)
        person = year.person
        person["grav"] = injuries.sample_injuries(injury_features(year), person, distribution, self.rng)
        unknown = (person["fled"] == 1) & (self.rng.random(len(person["grav"])) < SHARE_UNKNOWN_INJURY)
        person["grav"][unknown] = MISSING
        return year

    def unhurt(self, accidents: int) -> CodedAccidents:
        """Coded frames with everything but the injuries."""
        accident: CodedFrame = {}
        self.add(accident, PLACE, accidents)
        vehicle = self.kinds(accident)
        self.circumstances(accident, vehicle)
        self.in_turn(vehicle, VEHICLE)
        self.keep_a_witness(accident, vehicle)
        return CodedAccidents(accident, vehicle, self.people(accident, vehicle))

    def add(self, frame: CodedFrame, variables: Network, rows: int) -> None:
        """Draws variables for all rows of a frame, each given the ones before."""
        for name, parents in variables.items():
            frame[name] = distribution(name).draw([frame[parent] for parent in parents], self.rng.random(rows))

    def kinds(self, accident: CodedFrame) -> CodedFrame:
        """Vehicles with their kinds, one row a vehicle, and the facts of their accidents."""
        counts = accident["vehicles"] + 1
        owner = np.repeat(np.arange(len(counts)), counts)
        vehicle = {name: values[owner] for name, values in accident.items()}
        vehicle |= {"owner": owner, "position": encoding.position_within(owner)}
        self.in_turn(vehicle, VEHICLE_KIND)
        return vehicle

    def in_turn(self, vehicle: CodedFrame, variables: Network) -> None:
        """Draws variables of the first vehicle of every accident, then of the second given the first, and so on."""
        size = encoding.sizes(domains())
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
                vehicle[name][chosen] = distribution(name).draw(conditions, self.rng.random(len(chosen)))

    def circumstances(self, accident: CodedFrame, vehicle: CodedFrame) -> None:
        """Time, light, weather, collision and road of every accident; its vehicles get them as well."""
        rows = len(accident["dep"])
        accident["weak"], accident["strong"] = encoding.extreme_kinds(vehicle["owner"], vehicle["kind"], rows)
        accident["overseas"] = encoding.overseas(domains()["dep"])[accident["dep"]]
        self.add(accident, {"month": NETWORK["month"]}, rows)
        accident["light_month"] = encoding.light_month(accident["month"])
        accident["weather_month"] = encoding.weather_month(accident["month"], self.rng.random(rows))
        self.add(accident, {name: parents for name, parents in CIRCUMSTANCES.items() if name != "month"}, rows)
        accident["hour_band"] = encoding.hour_band(accident["hour"])
        vehicle |= {name: values[vehicle["owner"]] for name, values in accident.items() if name not in vehicle}

    def keep_a_witness(self, accident: CodedFrame, vehicle: CodedFrame) -> None:
        """Nobody flees where that would leave an accident without anybody to be hurt."""
        staying = np.bincount(vehicle["owner"], weights=1 - vehicle["fled"], minlength=len(accident["dep"]))
        deserted = (staying == 0) & (accident["pedestrians"] == 0)
        vehicle["fled"][deserted[vehicle["owner"]] & (vehicle["position"] == 0)] = 0

    def people(self, accident: CodedFrame, vehicle: CodedFrame) -> CodedFrame:
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
        person["seat"] = encoding.seats(own, role)
        self.ages(person)
        self.add(person, {name: parents for name, parents in PERSON.items() if name not in ("age", "sexe")}, len(own))
        fled = person["fled"] == 1
        for name in ("trajet", "secu1", "secu2"):
            person[name][fled] = encode(name, MISSING)
        return person

    def ages(self, person: CodedFrame) -> None:
        """Ages and sexes: of drivers first, then of everybody else, given their driver if they have one."""
        people = len(person["role"])
        driver = person["role"] == encoding.DRIVER
        driver_of = np.full(int(person["vehicle"].max()) + 1, -1)
        driver_of[person["vehicle"][driver]] = np.flatnonzero(driver)
        own_driver = driver_of[person["vehicle"]]
        carried = (person["role"] == encoding.PASSENGER) & (own_driver >= 0)
        person["driver_band"] = np.full(people, encoding.UNKNOWN_AGE + 1)
        for name in ("driver_sexe", "age", "band", "sexe"):
            person[name] = np.zeros(people, dtype=np.int64)
        self.draw_ages(person, np.flatnonzero(driver))
        person["driver_band"][carried] = person["band"][own_driver[carried]]
        person["driver_sexe"][carried] = encoding.driver_sexe(domains()["sexe"])[person["sexe"][own_driver[carried]]]
        self.draw_ages(person, np.flatnonzero(~driver))

    def draw_ages(self, person: CodedFrame, rows: Codes) -> None:
        """Ages, their bands and sexes of some people; of those who fled nothing is known."""
        some = {name: values[rows] for name, values in person.items()}
        fled = some["fled"] == 1
        self.add(some, {"age": PERSON["age"]}, len(rows))
        some["age"][fled] = encode("age", MISSING)
        some["band"] = encoding.age_band(np.array(domains()["age"])[some["age"]])
        self.add(some, {"sexe": PERSON["sexe"]}, len(rows))
        some["sexe"][fled] = encode("sexe", MISSING)
        for name in ("age", "band", "sexe"):
            person[name][rows] = some[name]
