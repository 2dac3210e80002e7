// The form: created from the specification, read as one accident, filled from a preset.

import { element } from "./dom.js";
import { createField } from "./fields.js";
import { fieldGrids, splitColumns } from "./sections.js";
import { FIRST_COLUMNS, COMPUTED_COLUMNS } from "./layout.js";
import { VehicleList } from "./vehicles.js";
import { TimeAndPlace } from "./time_and_place.js";

export class AccidentForm {
  constructor(parts, places, announce) {
    this.announce = announce;
    const byId = (id) => document.getElementById(id);
    const columns = ["accident", "road"].flatMap((part) =>
      parts[part].filter((column) => !COMPUTED_COLUMNS.has(column.name)).map((column) => ({ ...column, part, column: column.name, name: `${part}.${column.name}` })),
    );
    this.fields = Object.fromEntries(columns.map((column) => [column.name, createField(column.part, { ...column, name: column.column })]));
    const [first, others] = splitColumns(columns, FIRST_COLUMNS.what);
    byId("what").append(element("div", { class: "grid" }, ...first.map((column) => this.fields[column.name].root)));
    byId("rest").append(...fieldGrids(others, this.fields));
    const commune = this.fields["accident.com"];
    this.timeAndPlace = new TimeAndPlace(byId("when"), byId("map"), places, announce, (code) => commune && (commune.value = code));
    this.vehicles = new VehicleList(byId("parties"), parts, announce);
    this.meanings = new Map(Object.entries(parts).flatMap(([part, some]) => some.map((column) => [`${part}.${column.name}`, column.meaning])));
    this.vehicles.add();
  }

  /** One accident for the API, and problems found here. */
  collect() {
    const content = { accident: this.timeAndPlace.collect(), road: {} };
    for (const [name, field] of Object.entries(this.fields)) {
      const [part, column] = name.split(".");
      if (field.value !== null) content[part][column] = field.value;
    }
    const { vehicles, people, fields, problems } = this.vehicles.collect(this.timeAndPlace.year);
    this.fieldsByName = new Map([...this.timeAndPlace.fields, ...Object.entries(this.fields), ...fields]);
    return { content: { ...content, vehicles, people }, problems: [...this.timeAndPlace.problems(), ...problems] };
  }

  /** The field of an API error or a missing input: by its full name, or the first empty one of the column. */
  find(name) {
    if (this.fieldsByName?.has(name)) return this.fieldsByName.get(name);
    const [part, column] = name.split(".");
    for (const [full, field] of this.fieldsByName ?? []) {
      if (full.startsWith(`${part}[`) && full.endsWith(`].${column}`) && field.value === null) return field;
    }
    return null;
  }

  /** Show each problem at its field; returns the problems with their fields, null for unknown names. */
  showProblems(problems) {
    return problems.map((problem) => {
      const field = this.find(problem.field);
      field?.showError(`${problem.value ? `${problem.value} ` : ""}${problem.reason}`);
      return { ...problem, input: field };
    });
  }

  clearErrors() {
    for (const field of this.fieldsByName?.values() ?? []) field.clearError();
  }

  /** Fill in a preset; time and place stay. */
  fill(preset) {
    this.clearErrors();
    for (const [name, field] of Object.entries(this.fields)) {
      const [part, column] = name.split(".");
      if (name !== "accident.lum" && name !== "accident.com") field.value = preset[part]?.[column] ?? null;
    }
    this.vehicles.clear();
    for (const vehicle of preset.vehicles) this.vehicles.add(vehicle);
    this.announce(`Filled in: ${preset.title}.`);
  }

  clear() {
    this.clearErrors();
    this.timeAndPlace.clear();
    for (const field of Object.values(this.fields)) field.value = null;
    this.vehicles.clear();
    this.vehicles.add();
    this.announce("All fields cleared; date and time are now.");
  }
}
