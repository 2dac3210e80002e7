// Vehicles, and the people in them or hit by them: cards to add, fill and remove.

import { capital, element, unique } from "./dom.js";
import { fieldOf, labelled } from "./fields.js";
import { folded, split } from "./folding.js";
import { DRIVER, FIRST, OF_PEDESTRIANS, OF_RIDERS, OWN, PEDESTRIAN, SEAT } from "./layout.js";

const OLDEST = 120;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HIT = { obsm: 1 };

const letterOf = (number) => LETTERS[number % LETTERS.length] + (number < LETTERS.length ? "" : Math.floor(number / LETTERS.length) + 1);
const idOf = (number) => LETTERS[number % LETTERS.length] + String(Math.floor(number / LETTERS.length) + 1).padStart(2, "0");

export class Parties {
  /** `features` are the parts of the specification; `said` announces what was added or removed. */
  constructor(root, features, said) {
    Object.assign(this, { root, said, vehicleColumns: features.vehicles, peopleColumns: features.people });
    this.vehicles = [];
  }

  /** Add a vehicle with its people; each is an object of columns and values, people with `age` besides. */
  add({ people = [{ catu: Number(DRIVER) }], ...values } = {}) {
    const vehicle = new Vehicle(this, values);
    this.vehicles.push(vehicle);
    this.root.append(vehicle.root);
    for (const person of people) vehicle.add(person);
    this.rename();
    return vehicle;
  }

  remove(vehicle) {
    const place = this.vehicles.indexOf(vehicle);
    this.said(`Vehicle ${letterOf(place)} removed.`);
    this.vehicles.splice(place, 1);
    vehicle.root.remove();
    this.rename();
    this.vehicles[Math.max(place - 1, 0)]?.focus();
  }

  clear() {
    for (const vehicle of this.vehicles) vehicle.root.remove();
    this.vehicles = [];
  }

  rename() {
    this.vehicles.forEach((vehicle, number) => vehicle.rename(letterOf(number), this.vehicles.length > 1));
    this.root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Vehicles and people as the API takes them, their fields by the names that it may complain of, and own complaints. */
  collect(year) {
    const vehicles = [];
    const people = [];
    const fields = [];
    const problems = [];
    this.vehicles.forEach((vehicle, number) => {
      const num_veh = idOf(number);
      vehicles.push({ num_veh, ...valuesOf(vehicle.fields) });
      for (const [name, field] of Object.entries(vehicle.fields)) fields.push([`vehicles[${number}].${name}`, field]);
      for (const person of vehicle.people) {
        const where = `people[${people.length}]`;
        const { age, ...said } = valuesOf(person.fields);
        const known = Number.isInteger(age) && age >= 0 && age <= OLDEST;
        if (age !== undefined && !known) problems.push({ field: `${where}.an_nais`, value: String(age), reason: `is no age; allowed: 0 to ${OLDEST} years` });
        people.push({ num_veh, ...said, ...(known ? { an_nais: year - age } : {}) });
        for (const [name, field] of Object.entries(person.fields)) fields.push([`${where}.${name === "age" ? "an_nais" : name}`, field]);
      }
    });
    return { vehicles, people, fields, problems };
  }
}

function valuesOf(fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]).filter(([, value]) => value !== null));
}

class Vehicle {
  constructor(parties, values) {
    this.parties = parties;
    this.people = [];
    this.legend = element("legend");
    this.remover = element("button", { type: "button", class: "quiet remove", onclick: () => parties.remove(this) }, "Remove");
    const columns = parties.vehicleColumns.filter((column) => !OWN.has(column.name));
    this.fields = Object.fromEntries(columns.map((column) => [column.name, fieldOf("vehicles", column)]));
    const [first, others] = split(columns, FIRST.vehicle);
    this.list = element("div", { class: "people" });
    this.adders = element("div", { class: "adders" }, ...this.offers());
    this.more = folded("More about this vehicle", others, this.fields);
    this.root = element(
      "fieldset",
      { class: "vehicle" },
      this.legend,
      this.remover,
      element("div", { class: "grid three" }, ...first.map((column) => this.fields[column.name].root)),
      this.more,
      this.list,
      this.adders,
    );
    for (const [name, value] of Object.entries(values)) if (this.fields[name]) this.fields[name].value = value;
  }

  offers() {
    const roles = this.parties.peopleColumns.find((column) => column.name === "catu")?.codes ?? {};
    return Object.entries(roles).map(([code, text]) => {
      const words = code === PEDESTRIAN ? `${capital(text)} hit` : capital(text);
      const onclick = () => {
        const added = this.add({ catu: Number(code) });
        this.parties.rename();
        this.parties.said(`${words} added to vehicle ${this.letter}.`);
        added.focus();
      };
      return element("button", { type: "button", class: "add", onclick }, `+ ${words}`);
    });
  }

  add(values) {
    const person = new Person(this, values);
    this.people.push(person);
    this.list.append(person.root);
    const hits = String(values.catu ?? "") === PEDESTRIAN;
    for (const [name, code] of Object.entries(hits ? HIT : {})) {
      if (this.fields[name] && this.fields[name].value === null) this.fields[name].value = code;
    }
    return person;
  }

  remove(person) {
    const place = this.people.indexOf(person);
    this.people.splice(place, 1);
    person.root.remove();
    this.parties.rename();
    this.parties.said("Person removed.");
    (this.people[place] ?? this.people[place - 1])?.focus();
    if (!this.people.length) this.adders.querySelector("button")?.focus();
  }

  rename(letter, several) {
    this.letter = letter;
    this.legend.textContent = `Vehicle ${letter}`;
    this.remover.hidden = !several;
    this.remover.setAttribute("aria-label", `Remove vehicle ${letter}`);
    this.people.forEach((person, number) => person.rename(`Person ${number + 1} of vehicle ${letter}`));
  }

  focus() {
    Object.values(this.fields)[0]?.focus();
    this.fields.catv?.focus();
  }
}

class Person {
  constructor(vehicle, values) {
    const columns = vehicle.parties.peopleColumns.filter((column) => !OWN.has(column.name));
    this.fields = Object.fromEntries(columns.map((column) => [column.name, fieldOf("people", column)]));
    if (vehicle.parties.peopleColumns.some((column) => column.name === "an_nais")) this.fields.age = ageField();
    const [first, others] = split([...columns, { name: "age" }], FIRST.person);
    this.legend = element("legend", { class: "unseen" });
    this.remover = element("button", { type: "button", class: "quiet remove", onclick: () => vehicle.remove(this) }, "Remove");
    this.more = folded("More about this person", others, this.fields);
    this.root = element(
      "fieldset",
      { class: "person" },
      this.legend,
      element("div", { class: "facts" }, ...first.map((column) => this.fields[column.name]?.root), this.remover),
      this.more,
    );
    for (const [name, value] of Object.entries(values)) if (this.fields[name]) this.fields[name].value = value;
    this.fields.catu?.root.addEventListener("change", () => this.roleChanged());
    this.roleChanged();
  }

  /** A driver sits at the wheel and a pedestrian nowhere; what is asked of the others is hidden, and not said. */
  roleChanged() {
    const role = String(this.fields.catu?.value ?? "");
    if (role !== this.role && this.fields.place) this.fields.place.value = SEAT[role] ?? null;
    this.role = role;
    for (const [name, field] of Object.entries(this.fields)) {
      const asked = role === PEDESTRIAN ? !OF_RIDERS.has(name) || name === "place" : !OF_PEDESTRIANS.has(name);
      field.root.hidden = !asked;
      if (!asked) field.value = null;
    }
    if (this.fields.place) this.fields.place.root.hidden = role in SEAT;
  }

  rename(words) {
    this.legend.textContent = words;
    this.remover.setAttribute("aria-label", `Remove ${words.toLowerCase()}`);
  }

  focus() {
    (this.fields.age ?? Object.values(this.fields)[0])?.focus();
  }
}

function ageField() {
  const control = element("input", { type: "text", inputmode: "numeric", id: unique("age"), autocomplete: "off", maxlength: 3 });
  const field = labelled("people.an_nais", "Age (years)", control);
  field.numeric = true;
  return field;
}
