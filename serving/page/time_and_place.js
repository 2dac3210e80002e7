// Time and place: date, time, town, department and coordinates, synchronised with the map.

import { AddressSearch } from "./address.js";
import { element, uniqueId } from "./dom.js";
import { labelledField } from "./fields.js";
import { PlaceMap, VIEWS } from "./map.js";

const PAIR = /^\s*(-?\d+(?:[.,]\d+)?)\s*[,;\s]\s*(-?\d+(?:[.,]\d+)?)\s*$/;
const MAX_TOWN_DISTANCE = 50; // kilometres
const LAST_DATE = "2099-12-31";

export class TimeAndPlace {
  /** `announce` reports to screen readers; `onCommune` receives the INSEE code of a chosen town, or null. */
  constructor(root, mapRoot, { departments, towns, geocode }, announce, onCommune) {
    Object.assign(this, { departments, towns, announce, onCommune });
    this.date = labelledField("date", "Date", element("input", { type: "date", id: "date", max: LAST_DATE, "aria-label": "Date of the accident" }));
    this.time = labelledField("time", "Time", element("input", { type: "time", id: "time", "aria-label": "Local time of the accident" }));
    this.address = geocode ? new AddressSearch(geocode, announce, (place) => this.onAddress(place)) : null;
    const now = element("button", { type: "button", class: "quiet", id: "now", text: "Now", onclick: () => this.setNow() });
    this.latitude = coordinate("accident.lat", "Latitude");
    this.longitude = coordinate("accident.long", "Longitude");
    this.town = labelledField("town", "Town", input("text", { list: "towns", "aria-describedby": "town-hint" }));
    this.townOptions = element("datalist", { id: "towns" });
    this.town.root.append(this.townOptions, element("p", { class: "hint named", id: "town-hint" }));
    this.department = labelledField("accident.dep", "Department", input("text", { list: "departments", placeholder: "77" }));
    this.departmentHint = element("p", { class: "hint named", id: "department-name" });
    this.department.control.setAttribute("aria-describedby", this.departmentHint.id);
    const choices = [...departments.names].map(([code, name]) => element("option", { value: code, text: name }));
    this.department.root.append(element("datalist", { id: "departments" }, ...choices), this.departmentHint);
    root.append(
      element("div", { class: "together" }, this.date.root, this.time.root, now),
      ...(this.address ? [this.address.root] : []),
      element("div", { class: "together towns" }, this.town.root, this.department.root),
      element("div", { class: "together" }, this.latitude.root, this.longitude.root),
      this.regionSelect(),
      element("p", { class: "hint", id: "map-help", text: "Click the map, or move it with the arrow keys and press Enter, to set the place." }),
    );
    this.map = new PlaceMap(mapRoot, departments, towns, (...point) => this.onMapClick(...point));
    for (const field of [this.latitude, this.longitude]) {
      field.control.addEventListener("paste", (event) => this.onPaste(event));
      field.control.addEventListener("input", () => this.onCoordinateInput());
    }
    this.town.control.addEventListener("input", () => this.onTownInput());
    this.town.control.addEventListener("change", () => this.onTownInput(true));
    this.department.control.addEventListener("input", () => this.onDepartmentInput());
    this.department.control.addEventListener("change", () => this.onDepartmentInput(true));
    this.setNow();
  }

  /** Fields by their names in API errors. */
  get fields() {
    const own = [this.department, this.latitude, this.longitude].map((field) => [field.name, field]);
    const dates = ["accident.jour", "accident.mois", "accident.an", "jour, mois, an", "accident.jour, mois, an"];
    if (this.address) own.push([this.address.field.name, this.address.field]);
    return [...own, ...dates.map((name) => [name, this.date]), ["accident.hrmn", this.time]];
  }

  get year() {
    return Number(this.date.control.value.slice(0, 4)) || new Date().getFullYear();
  }

  /** Values by column name. */
  collect() {
    const [year, month, day] = this.date.control.value.split("-").map(Number);
    const values = year ? { jour: day, mois: month, an: year } : {};
    if (this.time.control.value) values.hrmn = this.time.control.value;
    if (this.department.value !== null) values.dep = this.departmentCode() ?? this.department.value;
    if (this.latitude.value !== null) values.lat = this.latitude.value;
    if (this.longitude.value !== null) values.long = this.longitude.value;
    if (this.address?.value && !this.point()) values.adr = this.address.value;
    return values;
  }

  /** Problems that the API would not notice (an incomplete date is an empty value) or not explain in the operator's terms. */
  problems() {
    return [
      [this.date, "accident.jour", "is not a complete date"],
      [this.time, "accident.hrmn", "is not a complete time"],
    ]
      .filter(([field]) => field.control.validity.badInput)
      .map(([, field, reason]) => ({ field, value: "", reason }))
      .concat(this.departmentCode() === null && this.department.value !== null ? [this.unknownDepartmentProblem()] : []);
  }

  unknownDepartmentProblem() {
    return { field: this.department.name, value: this.department.value, reason: "is not a department: type its number or name, or click the map" };
  }

  setNow() {
    const now = new Date();
    const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
    this.date.value = local.slice(0, 10);
    this.time.value = local.slice(11, 16);
    for (const field of [this.date, this.time]) field.root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  clear() {
    this.setNow();
    this.department.value = this.latitude.value = this.longitude.value = null;
    this.departmentAtPoint = null;
    this.clearTown();
    this.address?.clear();
    this.map.place(null);
    this.onDepartmentInput();
  }

  /** Suggest towns, and select the one that is named; `done` once the input is complete. */
  onTownInput(done = false) {
    const text = this.town.control.value;
    this.townOptions.replaceChildren(...this.towns.startingWith(text).map((town) => element("option", { value: town.label })));
    const town = this.towns.findByName(text);
    const selected = town && (done || town.label === text) ? town : null;
    if (selected && selected === this.selectedTown) return;
    this.setTownHint(text.trim() && done && !town ? "Not among the towns of 1,000 inhabitants or more." : "");
    if (!selected) return;
    this.selectedTown = selected;
    this.town.control.value = selected.label;
    [this.latitude.value, this.longitude.value] = [selected.latitude, selected.longitude];
    this.department.value = this.departmentAtPoint = selected.department;
    this.onCommune(selected.commune);
    for (const field of [this.latitude, this.longitude, this.department]) field.clearError();
    this.map.place([selected.latitude, selected.longitude], true);
    this.onDepartmentInput();
    this.setTownHint("Its centre is taken; click the map to be exact.");
    this.announce(`Place set to the centre of ${selected.label}.`);
    this.latitude.root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** A place of the address was chosen. */
  onAddress({ latitude, longitude, commune, department, label }) {
    this.communeOfAddress = false;
    this.clearTown();
    [this.latitude.value, this.longitude.value] = [latitude, longitude];
    this.department.value = this.departmentAtPoint = department;
    this.onCommune(commune);
    for (const field of [this.latitude, this.longitude, this.department]) field.clearError();
    this.map.place([latitude, longitude], true);
    this.onDepartmentInput();
    this.communeOfAddress = true;
    this.announce(`Place set to ${label}.`);
    this.latitude.root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  setTownHint(text) {
    this.town.root.querySelector("#town-hint").textContent = text;
  }

  /** Forget the selected town, and the commune of the address. */
  clearTown() {
    this.town.value = null;
    this.setTownHint("");
    if (this.selectedTown || this.communeOfAddress) this.onCommune(null);
    if (this.communeOfAddress) this.address.clear();
    this.selectedTown = null;
    this.communeOfAddress = false;
  }

  /** The place was set on the map. */
  onMapClick(latitude, longitude) {
    this.clearTown();
    this.latitude.value = latitude;
    this.longitude.value = longitude;
    this.map.place([latitude, longitude]);
    this.updateDepartment(latitude, longitude, true);
    for (const field of [this.latitude, this.longitude, this.department]) field.clearError();
    const where = this.departmentAtPoint ? `, ${this.departments.names.get(this.departmentAtPoint)} (${this.departmentAtPoint})` : ", outside all departments";
    this.announce(`Place set: ${latitude}, ${longitude}${where}.`);
    this.latitude.root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  onCoordinateInput() {
    this.clearTown();
    const point = this.point();
    this.map.place(point);
    if (point) this.updateDepartment(...point, false);
    else this.departmentHint.textContent = this.departmentText();
  }

  point() {
    const [latitude, longitude] = [this.latitude.value, this.longitude.value];
    const valid = typeof latitude === "number" && typeof longitude === "number" && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
    return valid ? [latitude, longitude] : null;
  }

  /** Set the department of the coordinates, unless another one was typed. */
  updateDepartment(latitude, longitude, always) {
    const before = this.departmentAtPoint;
    this.departmentAtPoint = this.departments.at(latitude, longitude);
    const typed = this.department.value;
    if (always || typed === null || (before && typed === before)) {
      this.department.value = this.departmentAtPoint;
      this.department.clearError();
    }
    this.map.highlight(this.departmentCode());
    this.departmentHint.textContent = this.departmentText();
  }

  departmentCode() {
    return this.department.value === null ? null : this.departments.codeOf(String(this.department.value));
  }

  onDepartmentInput(done = false) {
    const code = this.departmentCode();
    this.map.highlight(code, code !== null && done && this.point() === null);
    this.departmentHint.textContent = this.departmentText();
  }

  departmentText() {
    const code = this.departmentCode();
    const name = code ? this.departments.names.get(code) : "";
    const contradicts = code && this.point() && this.departmentAtPoint && this.departmentAtPoint !== code;
    if (contradicts) return `${name}; the coordinates lie in ${this.departmentAtPoint} ${this.departments.names.get(this.departmentAtPoint)}`;
    const near = this.point() && !this.selectedTown ? this.towns.nearest(...this.point()) : null;
    return near && near.kilometres < MAX_TOWN_DISTANCE ? `${name}, ${near.kilometres.toFixed(near.kilometres < 10 ? 1 : 0)} km from ${near.town.name}` : name;
  }

  /** "48.85, 2.35", as phones and emergency calls give it, fills both fields. */
  onPaste(event) {
    const pair = PAIR.exec(event.clipboardData?.getData("text") ?? "");
    if (!pair) return;
    event.preventDefault();
    [this.latitude.value, this.longitude.value] = pair.slice(1).map((text) => Number(text.replace(",", ".")));
    this.latitude.root.dispatchEvent(new Event("input", { bubbles: true }));
    this.onCoordinateInput();
  }

  regionSelect() {
    const options = Object.keys(VIEWS).map((name) => element("option", { value: name, text: name }));
    const control = element("select", { id: uniqueId("view") }, element("option", { value: "", text: "another part…" }), ...options);
    control.addEventListener("change", () => {
      if (control.value) this.map.show(VIEWS[control.value]);
      control.value = "";
    });
    return element("div", { class: "view" }, element("label", { for: control.id, text: "Show on the map" }), control);
  }
}

function input(type, attributes) {
  return element("input", { type, id: uniqueId("where"), autocomplete: "off", spellcheck: "false", ...attributes });
}

function coordinate(name, label) {
  const field = labelledField(name, label, input("text", { inputmode: "decimal" }));
  field.numeric = true;
  return field;
}
