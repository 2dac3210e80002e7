// What is asked first, and what is folded away.

import { element } from "./dom.js";

/** Columns named in `wanted`, in its order, and all others: those that the model looks at before those that it does not. */
export function split(columns, wanted) {
  const first = wanted.map((name) => columns.find((column) => column.name === name)).filter(Boolean);
  const others = columns.filter((column) => !first.includes(column));
  return [first, [...others.filter(usable), ...others.filter((column) => !usable(column))]];
}

const usable = (column) => column.used !== false;

/** Questions under a heading to unfold; null where there are none. */
export function folded(title, columns, fields) {
  if (!columns.length) return null;
  return element("details", { class: "more" }, element("summary", { text: title }), ...sorted(columns, fields));
}

/** Questions in a grid, with those that do not change this model's answer set apart. */
export function sorted(columns, fields) {
  const grid = (some) => element("div", { class: "grid" }, ...some.map((column) => fields[column.name].root));
  const without = columns.filter((column) => !usable(column));
  const asked = columns.filter(usable);
  const parts = asked.length ? [grid(asked)] : [];
  if (without.length) parts.push(element("p", { class: "hint", text: "Not looked at by this model:" }), grid(without));
  return parts;
}
