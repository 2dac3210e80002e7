// Layout of fields: first ones, collapsible sections and grids.

import { element } from "./dom.js";

/** Columns named in `firstNames`, in its order, and all others, with those that the model uses first. */
export function splitColumns(columns, firstNames) {
  const first = firstNames.map((name) => columns.find((column) => column.name === name)).filter(Boolean);
  const others = columns.filter((column) => !first.includes(column));
  return [first, [...others.filter(isUsed), ...others.filter((column) => !isUsed(column))]];
}

const isUsed = (column) => column.used !== false;

/** Fields in a collapsible section; null without columns. */
export function collapsible(title, columns, fields) {
  if (!columns.length) return null;
  return element("details", { class: "more" }, element("summary", { text: title }), ...fieldGrids(columns, fields));
}

/** Fields in a grid, and a second grid of those that the model does not use. */
export function fieldGrids(columns, fields) {
  const grid = (part) => element("div", { class: "grid" }, ...part.map((column) => fields[column.name].root));
  const unused = columns.filter((column) => !isUsed(column));
  const used = columns.filter(isUsed);
  const parts = used.length ? [grid(used)] : [];
  if (unused.length) parts.push(element("p", { class: "hint", text: "Not used by this model:" }), grid(unused));
  return parts;
}
