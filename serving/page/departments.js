// Departments: search by point and by name.

const MAX_DISTANCE = 0.06; // degrees to the nearest outline: harbours and beaches that the outlines cut off
const CELLS_PER_DEGREE = 100;

/** Departments that have no outline, as the column `dep` has them. */
const WITHOUT_OUTLINE = {
  975: "Saint-Pierre-et-Miquelon",
  977: "Saint-Barthélemy",
  978: "Saint-Martin",
  986: "Wallis-et-Futuna",
  987: "Polynésie française",
  988: "Nouvelle-Calédonie",
};

export class Departments {
  constructor(outlines) {
    this.outlines = outlines;
    this.names = new Map(outlines.features.map(({ properties }) => [properties.code, properties.name]));
    for (const [code, name] of Object.entries(WITHOUT_OUTLINE)) this.names.set(code, name);
    this.shapes = outlines.features.map(({ properties, geometry }) => ({
      code: properties.code,
      rings: geometry.coordinates.flat().map((ring) => ({ ring, box: boxOf(ring) })),
    }));
    this.cells = new Map();
    for (const [code, cells] of Object.entries(outlines.cells ?? {})) {
      for (const cell of cells) this.cells.set(cell.join(), code);
    }
  }

  static async load(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return new Departments(await response.json());
  }

  /** Code of the department around a point, null far from all. */
  at(latitude, longitude) {
    const cell = [Math.floor(latitude * CELLS_PER_DEGREE), Math.floor(longitude * CELLS_PER_DEGREE)].join();
    if (this.cells.has(cell)) return this.cells.get(cell);
    let nearest = null;
    let least = MAX_DISTANCE;
    for (const { code, rings } of this.shapes) {
      let inside = false;
      for (const { ring, box } of rings) {
        if (!within(longitude, latitude, box, MAX_DISTANCE)) continue;
        if (within(longitude, latitude, box, 0) && crosses(longitude, latitude, ring)) inside = !inside;
        const distance = distanceTo(longitude, latitude, ring);
        if (distance < least) [nearest, least] = [code, distance];
      }
      if (inside) return code;
    }
    return nearest;
  }

  /** The code of a department from its code in any spelling, or its name; null for others. */
  codeOf(text) {
    const query = plain(text);
    const padded = query.toUpperCase().padStart(2, "0");
    if (this.names.has(padded)) return padded;
    for (const [code, name] of this.names) if (plain(name) === query) return code;
    return null;
  }
}

/** A name without accents, case, hyphens and apostrophes, to compare by. */
export const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[\s'’-]+/g, " ").trim();

function boxOf(ring) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of ring) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

const within = (x, y, [west, south, east, north], margin) =>
  x >= west - margin && x <= east + margin && y >= south - margin && y <= north + margin;

function crosses(x, y, ring) {
  let inside = false;
  for (let place = 1; place < ring.length; place++) {
    const [x1, y1] = ring[place - 1];
    const [x2, y2] = ring[place];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

/** Least distance to the sides of a ring, in degrees of latitude. */
function distanceTo(x, y, ring) {
  const shrink = Math.cos((y * Math.PI) / 180);
  let least = Infinity;
  for (let place = 1; place < ring.length; place++) {
    const ax = (ring[place - 1][0] - x) * shrink;
    const ay = ring[place - 1][1] - y;
    const dx = (ring[place][0] - x) * shrink - ax;
    const dy = ring[place][1] - y - ay;
    const along = Math.max(0, Math.min(1, -(ax * dx + ay * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(ax + along * dx, ay + along * dy));
  }
  return least;
}
