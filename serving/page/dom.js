// Short ways to build elements.

/** An element with attributes (`text`, `class`, event handlers as `onclick`, anything else by its name) and children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  apply(made, attributes);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** The same for SVG. */
export function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  apply(made, attributes);
  made.append(...children);
  return made;
}

function apply(made, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
}

let made = 0;

/** An id that nothing else on the page has. */
export const unique = (what) => `${what}-${++made}`;

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
