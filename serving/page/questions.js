// The whole form: built from the specification, read into one accident, filled from a common case.

import { element } from "./dom.js";
import { fieldOf } from "./fields.js";
import { sorted, split } from "./folding.js";
import { FIRST, OWN } from "./layout.js";
import { Parties } from "./parties.js";
import { Where } from "./where.js";

export class Questions {
  constructor(parts, places, say) {
    this.say = say;
    const find = (id) => document.getElementById(id);
    const columns = ["accident", "road"].flatMap((part) =>
      parts[part].filter((column) => !OWN.has(column.name)).map((column) => ({ ...column, part, column: column.name, name: `${part}.${column.name}` })),
    );
    this.fields = Object.fromEntries(columns.map((column) => [column.name, fieldOf(column.part, { ...column, name: column.column })]));
    const [first, others] = split(columns, FIRST.what);
    find("what").append(element("div", { class: "grid" }, ...first.map((column) => this.fields[column.name].root)));
    find("rest").append(...sorted(others, this.fields));
    const commune = this.fields["accident.com"];
    this.where = new Where(find("when"), find("map"), places, say, (code) => commune && (commune.value = code));
    this.parties = new Parties(find("parties"), parts, say);
    this.meanings = new Map(Object.entries(parts).flatMap(([part, some]) => some.map((column) => [`${part}.${column.name}`, column.meaning])));
    this.parties.add();
  }

  /** One accident as the API takes it, its fields by the names that the API uses, and own complaints. */
  collect() {
    const content = { accident: this.where.collect(), road: {} };
    for (const [name, field] of Object.entries(this.fields)) {
      const [part, column] = name.split(".");
      if (field.value !== null) content[part][column] = field.value;
    }
    const { vehicles, people, fields, problems } = this.parties.collect(this.where.year);
    this.named = new Map([...this.where.fields, ...Object.entries(this.fields), ...fields]);
    return { content: { ...content, vehicles, people }, problems: [...this.where.problems(), ...problems] };
  }

  /** The field that a complaint or a missing input is about: by its full name, or the first empty one of that column. */
  find(name) {
    if (this.named?.has(name)) return this.named.get(name);
    const [part, column] = name.split(".");
    for (const [full, field] of this.named ?? []) {
      if (full.startsWith(`${part}[`) && full.endsWith(`].${column}`) && field.value === null) return field;
    }
    return null;
  }

  /** Say each complaint at its field; returns those with their field, null where no field has the name. */
  fail(problems) {
    return problems.map((problem) => {
      const field = this.find(problem.field);
      field?.fail(`${problem.value ? `${problem.value} ` : ""}${problem.reason}`);
      return { ...problem, at: field };
    });
  }

  clearErrors() {
    for (const field of this.named?.values() ?? []) field.clear();
  }

  /** Fill in a common case: what happened, vehicles and people; when and where stay. */
  fill(preset) {
    this.clearErrors();
    for (const [name, field] of Object.entries(this.fields)) {
      const [part, column] = name.split(".");
      if (name !== "accident.lum" && name !== "accident.com") field.value = preset[part]?.[column] ?? null;
    }
    this.parties.clear();
    for (const vehicle of preset.vehicles) this.parties.add(vehicle);
    this.say(`Filled in: ${preset.title}.`);
  }

  clear() {
    this.clearErrors();
    this.where.clear();
    for (const field of Object.values(this.fields)) field.value = null;
    this.parties.clear();
    this.parties.add();
    this.say("All fields cleared; date and time are now.");
  }
}
