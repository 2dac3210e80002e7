// When and where: date, time, department and coordinates, kept in step with the map.

import { element, unique } from "./dom.js";
import { labelled } from "./fields.js";
import { PlaceMap, VIEWS } from "./map.js";

const PAIR = /^\s*(-?\d+(?:[.,]\d+)?)\s*[,;\s]\s*(-?\d+(?:[.,]\d+)?)\s*$/;
const FAR_AWAY = 50; // kilometres
const LATEST = "2099-12-31";

export class Where {
  /** `say` announces what happened; `commune` is told the INSEE code of a town that was chosen, or null. */
  constructor(root, mapRoot, { departments, towns }, say, commune) {
    Object.assign(this, { departments, towns, say, commune });
    this.date = labelled("date", "Date", element("input", { type: "date", id: "date", max: LATEST, "aria-label": "Date of the accident" }));
    this.time = labelled("time", "Time", element("input", { type: "time", id: "time", "aria-label": "Local time of the accident" }));
    const now = element("button", { type: "button", class: "quiet", id: "now", text: "Now", onclick: () => this.now() });
    this.latitude = coordinate("accident.lat", "Latitude");
    this.longitude = coordinate("accident.long", "Longitude");
    this.town = labelled("town", "Town", input("text", { list: "towns", "aria-describedby": "town-hint" }));
    this.offered = element("datalist", { id: "towns" });
    this.town.root.append(this.offered, element("p", { class: "hint named", id: "town-hint" }));
    this.department = labelled("accident.dep", "Department", input("text", { list: "departments", placeholder: "77" }));
    this.named = element("p", { class: "hint named", id: "department-name" });
    this.department.control.setAttribute("aria-describedby", this.named.id);
    const choices = [...departments.names].map(([code, name]) => element("option", { value: code, text: name }));
    this.department.root.append(element("datalist", { id: "departments" }, ...choices), this.named);
    root.append(
      element("div", { class: "together" }, this.date.root, this.time.root, now),
      element("div", { class: "together towns" }, this.town.root, this.department.root),
      element("div", { class: "together" }, this.latitude.root, this.longitude.root),
      this.views(),
      element("p", { class: "hint", id: "map-help", text: "Click the map, or move it with the arrow keys and press Enter, to set the place." }),
    );
    this.map = new PlaceMap(mapRoot, departments, towns, (...point) => this.placed(...point));
    for (const field of [this.latitude, this.longitude]) {
      field.control.addEventListener("paste", (event) => this.pasted(event));
      field.control.addEventListener("input", () => this.coordinatesTyped());
    }
    this.town.control.addEventListener("input", () => this.townTyped());
    this.town.control.addEventListener("change", () => this.townTyped(true));
    this.department.control.addEventListener("input", () => this.departmentTyped());
    this.department.control.addEventListener("change", () => this.departmentTyped(true));
    this.now();
  }

  /** Fields by the names that the API may complain of. */
  get fields() {
    const own = [this.department, this.latitude, this.longitude].map((field) => [field.name, field]);
    const dates = ["accident.jour", "accident.mois", "accident.an", "jour, mois, an", "accident.jour, mois, an"];
    return [...own, ...dates.map((name) => [name, this.date]), ["accident.hrmn", this.time]];
  }

  get year() {
    return Number(this.date.control.value.slice(0, 4)) || new Date().getFullYear();
  }

  /** What is said of when and where, under the names of the columns. */
  collect() {
    const [year, month, day] = this.date.control.value.split("-").map(Number);
    const said = year ? { jour: day, mois: month, an: year } : {};
    if (this.time.control.value) said.hrmn = this.time.control.value;
    if (this.department.value !== null) said.dep = this.chosen() ?? this.department.value;
    if (this.latitude.value !== null) said.lat = this.latitude.value;
    if (this.longitude.value !== null) said.long = this.longitude.value;
    return said;
  }

  /** Faults that the API would not see, as half a date is an empty value, or not say in an operator's words. */
  problems() {
    return [
      [this.date, "accident.jour", "is not a whole date"],
      [this.time, "accident.hrmn", "is not a whole time of day"],
    ]
      .filter(([field]) => field.control.validity.badInput)
      .map(([, field, reason]) => ({ field, value: "", reason }))
      .concat(this.chosen() === null && this.department.value !== null ? [this.unknownDepartment()] : []);
  }

  unknownDepartment() {
    return { field: this.department.name, value: this.department.value, reason: "is no department: type its number or name, or click the map" };
  }

  now() {
    const now = new Date();
    const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
    this.date.value = local.slice(0, 10);
    this.time.value = local.slice(11, 16);
    for (const field of [this.date, this.time]) field.root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  clear() {
    this.now();
    this.department.value = this.latitude.value = this.longitude.value = null;
    this.found = null;
    this.leaveTown();
    this.map.place(null);
    this.departmentTyped();
  }

  /** Offer towns, and go to the one that is named: `done` where nothing more is typed. */
  townTyped(done = false) {
    const text = this.town.control.value;
    this.offered.replaceChildren(...this.towns.beginning(text).map((town) => element("option", { value: town.label })));
    const town = this.towns.named(text);
    const meant = town && (done || town.label === text) ? town : null;
    if (meant && meant === this.went) return;
    this.hint(text.trim() && done && !town ? "Not among the towns of 1,000 inhabitants or more." : "");
    if (!meant) return;
    this.went = meant;
    this.town.control.value = meant.label;
    [this.latitude.value, this.longitude.value] = [meant.latitude, meant.longitude];
    this.department.value = this.found = meant.department;
    this.commune(meant.commune);
    for (const field of [this.latitude, this.longitude, this.department]) field.clear();
    this.map.place([meant.latitude, meant.longitude], true);
    this.departmentTyped();
    this.hint("Its centre is taken; click the map to be exact.");
    this.say(`Place set to the centre of ${meant.label}.`);
    this.latitude.root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  hint(text) {
    this.town.root.querySelector("#town-hint").textContent = text;
  }

  /** The place is no longer that of the town that was named. */
  leaveTown() {
    this.town.value = null;
    this.hint("");
    if (this.went) this.commune(null);
    this.went = null;
  }

  /** Somebody set the place on the map. */
  placed(latitude, longitude) {
    this.leaveTown();
    this.latitude.value = latitude;
    this.longitude.value = longitude;
    this.map.place([latitude, longitude]);
    this.foundAt(latitude, longitude, true);
    for (const field of [this.latitude, this.longitude, this.department]) field.clear();
    const where = this.found ? `, ${this.departments.names.get(this.found)} (${this.found})` : ", outside all departments";
    this.say(`Place set: ${latitude}, ${longitude}${where}.`);
    this.latitude.root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  coordinatesTyped() {
    this.leaveTown();
    const point = this.point();
    this.map.place(point);
    if (point) this.foundAt(...point, false);
    else this.named.textContent = this.departmentWords();
  }

  point() {
    const [latitude, longitude] = [this.latitude.value, this.longitude.value];
    const fits = typeof latitude === "number" && typeof longitude === "number" && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
    return fits ? [latitude, longitude] : null;
  }

  /** Take the department over from the coordinates, unless somebody typed another one. */
  foundAt(latitude, longitude, always) {
    const before = this.found;
    this.found = this.departments.at(latitude, longitude);
    const typed = this.department.value;
    if (always || typed === null || (before && typed === before)) {
      this.department.value = this.found;
      this.department.clear();
    }
    this.map.choose(this.chosen());
    this.named.textContent = this.departmentWords();
  }

  chosen() {
    return this.department.value === null ? null : this.departments.codeOf(String(this.department.value));
  }

  departmentTyped(done = false) {
    const code = this.chosen();
    this.map.choose(code, code !== null && done && this.point() === null);
    this.named.textContent = this.departmentWords();
  }

  departmentWords() {
    const code = this.chosen();
    const name = code ? this.departments.names.get(code) : "";
    const elsewhere = code && this.point() && this.found && this.found !== code;
    if (elsewhere) return `${name}; the coordinates lie in ${this.found} ${this.departments.names.get(this.found)}`;
    const near = this.point() && !this.went ? this.towns.nearest(...this.point()) : null;
    return near && near.kilometres < FAR_AWAY ? `${name}, ${near.kilometres.toFixed(near.kilometres < 10 ? 1 : 0)} km from ${near.town.name}` : name;
  }

  /** "48.85, 2.35", as phones and emergency calls give it, fills both fields. */
  pasted(event) {
    const pair = PAIR.exec(event.clipboardData?.getData("text") ?? "");
    if (!pair) return;
    event.preventDefault();
    [this.latitude.value, this.longitude.value] = pair.slice(1).map((text) => Number(text.replace(",", ".")));
    this.latitude.root.dispatchEvent(new Event("input", { bubbles: true }));
    this.coordinatesTyped();
  }

  views() {
    const options = Object.keys(VIEWS).map((name) => element("option", { value: name, text: name }));
    const control = element("select", { id: unique("view") }, element("option", { value: "", text: "another part…" }), ...options);
    control.addEventListener("change", () => {
      if (control.value) this.map.show(VIEWS[control.value]);
      control.value = "";
    });
    return element("div", { class: "view" }, element("label", { for: control.id, text: "Show on the map" }), control);
  }
}

function input(type, attributes) {
  return element("input", { type, id: unique("where"), autocomplete: "off", spellcheck: "false", ...attributes });
}

function coordinate(name, label) {
  const field = labelled(name, label, input("text", { inputmode: "decimal" }));
  field.numeric = true;
  return field;
}
