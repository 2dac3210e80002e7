// List of vehicles with their people: add, fill and remove.

import { capital, element, uniqueId } from "./dom.js";
import { createField, labelledField } from "./fields.js";
import { collapsible, splitColumns } from "./sections.js";
import { DRIVER, FIRST_COLUMNS, PEDESTRIAN_COLUMNS, OCCUPANT_COLUMNS, COMPUTED_COLUMNS, PEDESTRIAN, FIXED_SEATS } from "./layout.js";

const MAX_AGE = 120;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HITS_PEDESTRIAN = { obsm: 1 };

const letterOf = (number) => LETTERS[number % LETTERS.length] + (number < LETTERS.length ? "" : Math.floor(number / LETTERS.length) + 1);
const idOf = (number) => LETTERS[number % LETTERS.length] + String(Math.floor(number / LETTERS.length) + 1).padStart(2, "0");

export class VehicleList {
  /** `features` are the parts of the specification; `announce` reports additions and removals to screen readers. */
  constructor(root, features, announce) {
    Object.assign(this, { root, announce, vehicleColumns: features.vehicles, peopleColumns: features.people });
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
    this.announce(`Vehicle ${letterOf(place)} removed.`);
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

  /** Vehicles and people for the API, their fields by the names in API errors, and problems found here. */
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
        const { age, ...values } = valuesOf(person.fields);
        const validAge = Number.isInteger(age) && age >= 0 && age <= MAX_AGE;
        if (age !== undefined && !validAge) problems.push({ field: `${where}.an_nais`, value: String(age), reason: `is not an age; allowed: 0 to ${MAX_AGE} years` });
        people.push({ num_veh, ...values, ...(validAge ? { an_nais: year - age } : {}) });
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
  constructor(vehicleList, values) {
    this.vehicleList = vehicleList;
    this.people = [];
    this.legend = element("legend");
    this.removeButton = element("button", { type: "button", class: "quiet remove", onclick: () => vehicleList.remove(this) }, "Remove");
    const columns = vehicleList.vehicleColumns.filter((column) => !COMPUTED_COLUMNS.has(column.name));
    this.fields = Object.fromEntries(columns.map((column) => [column.name, createField("vehicles", column)]));
    const [first, others] = splitColumns(columns, FIRST_COLUMNS.vehicle);
    this.list = element("div", { class: "people" });
    this.adders = element("div", { class: "adders" }, ...this.addButtons());
    this.more = collapsible("More about this vehicle", others, this.fields);
    this.root = element(
      "fieldset",
      { class: "vehicle" },
      this.legend,
      this.removeButton,
      element("div", { class: "grid three" }, ...first.map((column) => this.fields[column.name].root)),
      this.more,
      this.list,
      this.adders,
    );
    for (const [name, value] of Object.entries(values)) if (this.fields[name]) this.fields[name].value = value;
  }

  addButtons() {
    const roles = this.vehicleList.peopleColumns.find((column) => column.name === "catu")?.codes ?? {};
    return Object.entries(roles).map(([code, text]) => {
      const label = code === PEDESTRIAN ? `${capital(text)} hit` : capital(text);
      const onclick = () => {
        const added = this.add({ catu: Number(code) });
        this.vehicleList.rename();
        this.vehicleList.announce(`${label} added to vehicle ${this.letter}.`);
        added.focus();
      };
      return element("button", { type: "button", class: "add", onclick }, `+ ${label}`);
    });
  }

  add(values) {
    const person = new Person(this, values);
    this.people.push(person);
    this.list.append(person.root);
    const hits = String(values.catu ?? "") === PEDESTRIAN;
    for (const [name, code] of Object.entries(hits ? HITS_PEDESTRIAN : {})) {
      if (this.fields[name] && this.fields[name].value === null) this.fields[name].value = code;
    }
    return person;
  }

  remove(person) {
    const place = this.people.indexOf(person);
    this.people.splice(place, 1);
    person.root.remove();
    this.vehicleList.rename();
    this.vehicleList.announce("Person removed.");
    (this.people[place] ?? this.people[place - 1])?.focus();
    if (!this.people.length) this.adders.querySelector("button")?.focus();
  }

  rename(letter, several) {
    this.letter = letter;
    this.legend.textContent = `Vehicle ${letter}`;
    this.removeButton.hidden = !several;
    this.removeButton.setAttribute("aria-label", `Remove vehicle ${letter}`);
    this.people.forEach((person, number) => person.rename(`Person ${number + 1} of vehicle ${letter}`));
  }

  focus() {
    Object.values(this.fields)[0]?.focus();
    this.fields.catv?.focus();
  }
}

class Person {
  constructor(vehicle, values) {
    const columns = vehicle.vehicleList.peopleColumns.filter((column) => !COMPUTED_COLUMNS.has(column.name));
    this.fields = Object.fromEntries(columns.map((column) => [column.name, createField("people", column)]));
    if (vehicle.vehicleList.peopleColumns.some((column) => column.name === "an_nais")) this.fields.age = ageField();
    const [first, others] = splitColumns([...columns, { name: "age" }], FIRST_COLUMNS.person);
    this.legend = element("legend", { class: "unseen" });
    this.removeButton = element("button", { type: "button", class: "quiet remove", onclick: () => vehicle.remove(this) }, "Remove");
    this.more = collapsible("More about this person", others, this.fields);
    this.root = element(
      "fieldset",
      { class: "person" },
      this.legend,
      element("div", { class: "facts" }, ...first.map((column) => this.fields[column.name]?.root), this.removeButton),
      this.more,
    );
    for (const [name, value] of Object.entries(values)) if (this.fields[name]) this.fields[name].value = value;
    this.fields.catu?.root.addEventListener("change", () => this.roleChanged());
    this.roleChanged();
  }

  /** Set the seat of drivers and pedestrians; hide and clear the fields that do not apply to the role. */
  roleChanged() {
    const role = String(this.fields.catu?.value ?? "");
    if (role !== this.role && this.fields.place) this.fields.place.value = FIXED_SEATS[role] ?? null;
    this.role = role;
    for (const [name, field] of Object.entries(this.fields)) {
      const applies = role === PEDESTRIAN ? !OCCUPANT_COLUMNS.has(name) || name === "place" : !PEDESTRIAN_COLUMNS.has(name);
      field.root.hidden = !applies;
      if (!applies) field.value = null;
    }
    if (this.fields.place) this.fields.place.root.hidden = role in FIXED_SEATS;
  }

  rename(title) {
    this.legend.textContent = title;
    this.removeButton.setAttribute("aria-label", `Remove ${title.toLowerCase()}`);
  }

  focus() {
    (this.fields.age ?? Object.values(this.fields)[0])?.focus();
  }
}

function ageField() {
  const control = element("input", { type: "text", inputmode: "numeric", id: uniqueId("age"), autocomplete: "off", maxlength: 3 });
  const field = labelledField("people.an_nais", "Age (years)", control);
  field.numeric = true;
  return field;
}
