// Form fields: label, control and error message.

import { RADIO_FIELDS, SUGGESTIONS, COMMON_CATEGORIES, REQUIRED_FIELDS } from "./layout.js";
import { capital, element, uniqueId } from "./dom.js";

/** Base class of all fields. `name` is the column with its part, such as `accident.lum`. */
export class Field {
  constructor(name, label, root, control) {
    Object.assign(this, { name, label, root, control });
    this.error = element("p", { class: "error", id: uniqueId("error"), hidden: true });
    root.classList.add("field");
    root.append(this.error);
    root.addEventListener("input", () => this.clearError());
  }

  /** The value for the API; null where the field is empty. */
  get value() {
    const text = this.control.value.trim();
    if (text === "") return null;
    return this.numeric && !Number.isNaN(Number(text.replace(",", "."))) ? Number(text.replace(",", ".")) : text;
  }

  set value(value) {
    this.control.value = value ?? "";
  }

  /** Open the collapsible sections around the field. */
  openSections() {
    for (let section = this.root.closest("details:not([open])"); section; section = this.root.closest("details:not([open])")) section.open = true;
  }

  focus() {
    this.openSections();
    this.control.focus();
    this.root.scrollIntoView({ block: "center" });
  }

  showError(text) {
    this.openSections();
    this.error.textContent = text;
    this.error.hidden = false;
    this.root.classList.add("wrong");
    this.setInvalid(true);
  }

  clearError() {
    if (this.error.hidden) return;
    this.error.hidden = true;
    this.root.classList.remove("wrong");
    this.setInvalid(false);
  }

  setInvalid(invalid) {
    const hints = (this.control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== this.error.id);
    if (invalid) hints.push(this.error.id);
    this.control.toggleAttribute("aria-describedby", hints.length > 0);
    if (hints.length) this.control.setAttribute("aria-describedby", hints.join(" "));
    if (invalid) this.control.setAttribute("aria-invalid", "true");
    else this.control.removeAttribute("aria-invalid");
  }
}

/** A code column as a row of radio buttons. */
class RadioField extends Field {
  constructor(name, label, codes) {
    const group = uniqueId(name);
    const caption = element("legend", { text: label });
    const choices = [...(REQUIRED_FIELDS.has(name) ? [] : [["", "not known"]]), ...codes].map(([code, text]) => {
      const input = element("input", { type: "radio", name: group, value: code, checked: code === "" });
      return element("label", { class: code === "" ? "chip unknown" : "chip" }, input, element("span", { text }));
    });
    const row = element("div", { class: "chips" }, ...choices);
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

/** The field of a column of the specification. */
export function createField(part, column) {
  const name = `${part}.${column.name}`;
  const label = capital(column.meaning) + (column.unit && column.unit !== "degrees" ? ` (${column.unit})` : "");
  if (column.kind !== "code") return textField(name, label, column);
  const codes = usedCodes(column);
  if (RADIO_FIELDS.has(name)) return new RadioField(name, label, codes);
  return selectField(name, label, codes);
}

function selectField(name, label, codes) {
  const control = element("select", { id: uniqueId(name) }, element("option", { value: "", text: "not known" }));
  const options = ([code, text]) => element("option", { value: code, text });
  const common = name === "vehicles.catv" ? COMMON_CATEGORIES.flatMap((code) => codes.filter((one) => one[0] === code)) : [];
  if (common.length) {
    const others = codes.filter((one) => !common.includes(one));
    control.append(element("optgroup", { label: "Often" }, ...common.map(options)));
    control.append(element("optgroup", { label: "Others" }, ...others.map(options)));
  } else {
    control.append(...codes.map(options));
  }
  return asNumeric(labelledField(name, label, control));
}

function textField(name, label, column) {
  const numbers = column.kind === "integer" || column.kind === "number";
  const control = element("input", { type: "text", id: uniqueId(name), autocomplete: "off", spellcheck: "false" });
  if (numbers) control.inputMode = column.kind === "integer" ? "numeric" : "decimal";
  const field = labelledField(name, label, control);
  if (SUGGESTIONS[name]) {
    const suggestions = element("datalist", { id: uniqueId("suggestions") }, ...SUGGESTIONS[name].map((value) => element("option", { value })));
    control.setAttribute("list", suggestions.id);
    field.root.append(suggestions);
  }
  return numbers ? asNumeric(field) : field;
}

/** A labelledField control as a field. */
export function labelledField(name, label, control) {
  return new Field(name, label, element("div", {}, element("label", { for: control.id, text: label }), control), control);
}

function asNumeric(field) {
  field.numeric = true;
  return field;
}

/** Codes with their meanings, without unused ones. */
function usedCodes(column) {
  return Object.entries(column.codes).filter(([, text]) => !text.startsWith("unused"));
}
