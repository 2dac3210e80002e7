// One question each: label, control, and the place where an error of it is said.

import { BUTTONS, OFFERED, OFTEN, SURE } from "./layout.js";
import { capital, element, unique } from "./dom.js";

/** What all kinds of questions have in common. `name` is the column with its part, such as `accident.lum`. */
export class Field {
  constructor(name, label, root, control) {
    Object.assign(this, { name, label, root, control });
    this.error = element("p", { class: "error", id: unique("error"), hidden: true });
    root.classList.add("field");
    root.append(this.error);
    root.addEventListener("input", () => this.clear());
  }

  /** The value as it is sent, null where nothing is said. */
  get value() {
    const text = this.control.value.trim();
    if (text === "") return null;
    return this.numeric && !Number.isNaN(Number(text.replace(",", "."))) ? Number(text.replace(",", ".")) : text;
  }

  set value(value) {
    this.control.value = value ?? "";
  }

  /** Unfold what the question is folded into. */
  unfold() {
    for (let folded = this.root.closest("details:not([open])"); folded; folded = this.root.closest("details:not([open])")) folded.open = true;
  }

  focus() {
    this.unfold();
    this.control.focus();
    this.root.scrollIntoView({ block: "center" });
  }

  fail(text) {
    this.unfold();
    this.error.textContent = text;
    this.error.hidden = false;
    this.root.classList.add("wrong");
    this.describe(true);
  }

  clear() {
    if (this.error.hidden) return;
    this.error.hidden = true;
    this.root.classList.remove("wrong");
    this.describe(false);
  }

  describe(wrong) {
    const hints = (this.control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== this.error.id);
    if (wrong) hints.push(this.error.id);
    this.control.toggleAttribute("aria-describedby", hints.length > 0);
    if (hints.length) this.control.setAttribute("aria-describedby", hints.join(" "));
    if (wrong) this.control.setAttribute("aria-invalid", "true");
    else this.control.removeAttribute("aria-invalid");
  }
}

/** A single code of a few, as radio buttons in a row. */
class Buttons extends Field {
  constructor(name, label, codes) {
    const group = unique(name);
    const caption = element("legend", { text: label });
    const offered = [...(SURE.has(name) ? [] : [["", "not known"]]), ...codes].map(([code, text]) => {
      const input = element("input", { type: "radio", name: group, value: code, checked: code === "" });
      return element("label", { class: code === "" ? "chip unknown" : "chip" }, input, element("span", { text }));
    });
    const row = element("div", { class: "chips" }, ...offered);
    const root = element("fieldset", { class: "buttons" }, caption, row);
    super(name, label, root, root);
    this.inputs = [...row.querySelectorAll("input")];
  }

  get value() {
    const chosen = this.inputs.find((input) => input.checked);
    return chosen && chosen.value !== "" ? Number(chosen.value) : null;
  }

  set value(value) {
    const text = String(value ?? "");
    (this.inputs.find((input) => input.value === text) ?? this.inputs[0]).checked = true;
  }

  focus() {
    super.focus();
    (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus();
  }
}

/** The question that a column of the specification asks. */
export function fieldOf(part, column) {
  const name = `${part}.${column.name}`;
  const label = capital(column.meaning) + (column.unit && column.unit !== "degrees" ? ` (${column.unit})` : "");
  if (column.kind !== "code") return typed(name, label, column);
  const codes = inUse(column);
  if (BUTTONS.has(name)) return new Buttons(name, label, codes);
  return list(name, label, codes);
}

function list(name, label, codes) {
  const control = element("select", { id: unique(name) }, element("option", { value: "", text: "not known" }));
  const options = ([code, text]) => element("option", { value: code, text });
  const often = name === "vehicles.catv" ? OFTEN.flatMap((code) => codes.filter((one) => one[0] === code)) : [];
  if (often.length) {
    const others = codes.filter((one) => !often.includes(one));
    control.append(element("optgroup", { label: "Often" }, ...often.map(options)));
    control.append(element("optgroup", { label: "Others" }, ...others.map(options)));
  } else {
    control.append(...codes.map(options));
  }
  return numeric(labelled(name, label, control));
}

function typed(name, label, column) {
  const numbers = column.kind === "integer" || column.kind === "number";
  const control = element("input", { type: "text", id: unique(name), autocomplete: "off", spellcheck: "false" });
  if (numbers) control.inputMode = column.kind === "integer" ? "numeric" : "decimal";
  const field = labelled(name, label, control);
  if (OFFERED[name]) {
    const offered = element("datalist", { id: unique("offered") }, ...OFFERED[name].map((value) => element("option", { value })));
    control.setAttribute("list", offered.id);
    field.root.append(offered);
  }
  return numbers ? numeric(field) : field;
}

/** A labelled control as a field. */
export function labelled(name, label, control) {
  return new Field(name, label, element("div", {}, element("label", { for: control.id, text: label }), control), control);
}

function numeric(field) {
  field.numeric = true;
  return field;
}

/** Codes with their meanings, without those that the specification calls unused. */
function inUse(column) {
  return Object.entries(column.codes).filter(([, text]) => !text.startsWith("unused"));
}
