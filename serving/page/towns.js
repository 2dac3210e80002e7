// Towns: labels on the map, and search by name.

/* global L */

import { element } from "./dom.js";
import { plain } from "./departments.js";

const KILOMETRES = 111.2; // per degree of latitude
const MAX_SUGGESTIONS = 12;
const OVERSEAS = "97";

/** Communes whose accidents are published under the codes of their arrondissements. */
const WITH_ARRONDISSEMENTS = new Set(["75056", "13055", "69123"]);

/** Thousands of inhabitants from which a town is shown, by zoom. */
const MIN_SIZE_BY_ZOOM = [
  [11, 0],
  [10, 2],
  [9, 8],
  [8, 20],
  [7, 50],
  [6, 110],
  [0, 200],
];
const MIN_SPACING = [84, 22]; // pixels between two names

class Town {
  constructor([name, latitude, longitude, thousands, code]) {
    Object.assign(this, { name, latitude, longitude, thousands });
    this.department = code.length < 5 ? code : code.slice(0, code.startsWith(OVERSEAS) ? 3 : 2);
    this.commune = code.length === 5 && !WITH_ARRONDISSEMENTS.has(code) ? code : null;
    this.label = `${name} (${this.department})`;
    this.plain = plain(name);
  }
}

export class Towns {
  constructor(rows) {
    this.all = rows.map((row) => new Town(row));
  }

  static async load(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return new Towns((await response.json()).towns);
  }

  /** Towns whose name begins with a text, the largest first. */
  startingWith(text) {
    const query = plain(text);
    return query ? this.all.filter((town) => town.plain.startsWith(query)).slice(0, MAX_SUGGESTIONS) : [];
  }

  /** The town of a name: a suggestion, or the largest town of that name. */
  findByName(text) {
    const query = plain(text);
    return this.all.find((town) => plain(town.label) === query) ?? this.all.find((town) => town.plain === query) ?? null;
  }

  /** The nearest town and its distance in kilometres. */
  nearest(latitude, longitude) {
    const shrink = Math.cos((latitude * Math.PI) / 180);
    let nearest = null;
    let least = Infinity;
    for (const town of this.all) {
      const distance = Math.hypot(town.latitude - latitude, (town.longitude - longitude) * shrink);
      if (distance < least) [nearest, least] = [town, distance];
    }
    return nearest && { town: nearest, kilometres: least * KILOMETRES };
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
    const least = MIN_SIZE_BY_ZOOM.find(([zoom]) => this.map.getZoom() >= zoom)[1];
    const bounds = this.map.getBounds();
    const placed = [];
    this.layer.clearLayers();
    for (const town of this.towns.all) {
      if (town.thousands < least) break;
      const at = [town.latitude, town.longitude];
      if (!bounds.contains(at)) continue;
      const { x, y } = this.map.latLngToContainerPoint(at);
      if (placed.some(([otherX, otherY]) => Math.abs(otherX - x) < MIN_SPACING[0] && Math.abs(otherY - y) < MIN_SPACING[1])) continue;
      placed.push([x, y]);
      const html = element("span", { text: town.name });
      L.marker(at, { icon: L.divIcon({ className: "town", html, iconSize: [6, 6] }), interactive: false, keyboard: false }).addTo(this.layer);
    }
  }
}
