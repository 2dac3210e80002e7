// Towns: names for the map, and places to go to by name.

/* global L */

import { element } from "./dom.js";
import { plain } from "./places.js";

const KILOMETRES = 111.2; // per degree of latitude
const OFFERED = 12;
const OVERSEAS = "97";

/** Communes whose accidents are published under the codes of their arrondissements. */
const DIVIDED = new Set(["75056", "13055", "69123"]);

/** Thousands of inhabitants from which a town is shown, by zoom. */
const SHOWN = [
  [11, 0],
  [10, 2],
  [9, 8],
  [8, 20],
  [7, 50],
  [6, 110],
  [0, 200],
];
const APART = [84, 22]; // pixels between two names

class Town {
  constructor([name, latitude, longitude, thousands, code]) {
    Object.assign(this, { name, latitude, longitude, thousands });
    this.department = code.length < 5 ? code : code.slice(0, code.startsWith(OVERSEAS) ? 3 : 2);
    this.commune = code.length === 5 && !DIVIDED.has(code) ? code : null;
    this.label = `${name} (${this.department})`;
    this.plain = plain(name);
  }
}

export class Towns {
  constructor(rows) {
    this.all = rows.map((row) => new Town(row));
  }

  static async load(address) {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address}: ${response.status}`);
    return new Towns((await response.json()).towns);
  }

  /** Towns whose name begins with a text, the largest first. */
  beginning(text) {
    const wanted = plain(text);
    return wanted ? this.all.filter((town) => town.plain.startsWith(wanted)).slice(0, OFFERED) : [];
  }

  /** The town that a text names: as offered, or the largest of that name. */
  named(text) {
    const wanted = plain(text);
    return this.all.find((town) => plain(town.label) === wanted) ?? this.all.find((town) => town.plain === wanted) ?? null;
  }

  /** The nearest town and its distance in kilometres. */
  nearest(latitude, longitude) {
    const shrink = Math.cos((latitude * Math.PI) / 180);
    let found = null;
    let least = Infinity;
    for (const town of this.all) {
      const distance = Math.hypot(town.latitude - latitude, (town.longitude - longitude) * shrink);
      if (distance < least) [found, least] = [town, distance];
    }
    return found && { town: found, kilometres: least * KILOMETRES };
  }
}

/** Names on the map: the larger towns in sight, as many as have room. */
export class TownNames {
  constructor(map, towns) {
    Object.assign(this, { map, towns, layer: L.layerGroup().addTo(map) });
    map.on("moveend", () => this.draw());
    this.draw();
  }

  draw() {
    const least = SHOWN.find(([zoom]) => this.map.getZoom() >= zoom)[1];
    const bounds = this.map.getBounds();
    const drawn = [];
    this.layer.clearLayers();
    for (const town of this.towns.all) {
      if (town.thousands < least) break;
      const at = [town.latitude, town.longitude];
      if (!bounds.contains(at)) continue;
      const { x, y } = this.map.latLngToContainerPoint(at);
      if (drawn.some(([otherX, otherY]) => Math.abs(otherX - x) < APART[0] && Math.abs(otherY - y) < APART[1])) continue;
      drawn.push([x, y]);
      const html = element("span", { text: town.name });
      L.marker(at, { icon: L.divIcon({ className: "town", html, iconSize: [6, 6] }), interactive: false, keyboard: false }).addTo(this.layer);
    }
  }
}
