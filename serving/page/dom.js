// Helpers to create elements.

/** An element with attributes (`text`, `class`, event handlers as `onclick`, anything else by its name) and children. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  apply(node, attributes);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An SVG element. */
export function svgElement(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  apply(node, attributes);
  node.append(...children);
  return node;
}

function apply(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
}

let idCount = 0;

/** An id that is unique on the page. */
export const uniqueId = (prefix) => `${prefix}-${++idCount}`;

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
