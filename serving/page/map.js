// The map: outlines to zoom and click, a marker, and a cross for those who use the keyboard.

/* global L */

import { TownNames } from "./towns.js";

const MAINLAND = [[41.3, -5.2], [51.1, 9.6]];

/** Parts of the country to look at. */
export const VIEWS = {
  "Mainland and Corsica": MAINLAND,
  "Paris region": [[48.1, 1.4], [49.25, 3.6]],
  Guadeloupe: [[15.8, -61.85], [16.55, -60.95]],
  Martinique: [[14.35, -61.25], [14.9, -60.78]],
  Guyane: [[2.0, -54.7], [5.9, -51.5]],
  "La Réunion": [[-21.45, 55.15], [-20.82, 55.9]],
  Mayotte: [[-13.05, 44.95], [-12.6, 45.35]],
};

const CODES_FROM = 7;
const NAMES_FROM = 10;
const CLOSE = 12;
const NEAR = 11;
const FAR = 10; // the outlines are too coarse to be looked at from nearer by themselves

export class PlaceMap {
  /** `placed(latitude, longitude)` is called where somebody sets the place on the map. */
  constructor(root, departments, towns, placed) {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.departments = departments;
    this.map = L.map(root, {
      minZoom: 3,
      maxZoom: 15,
      zoomSnap: 0.25,
      zoomAnimation: !still,
      fadeAnimation: !still,
      inertia: !still,
      attributionControl: false,
    });
    root.setAttribute("role", "application");
    root.setAttribute("aria-label", "Map of France");
    root.setAttribute("aria-describedby", "map-help");
    L.control.scale({ imperial: false }).addTo(this.map);
    this.layers = new Map();
    for (const feature of departments.outlines.features) this.outline(feature);
    this.marker = L.marker([0, 0], {
      icon: L.divIcon({ className: "pin", iconSize: [26, 34], iconAnchor: [13, 33] }),
      keyboard: false,
      zIndexOffset: 1000,
      draggable: true,
      alt: "Place of the accident",
    });
    this.marker.on("dragend", () => placed(...this.rounded(this.marker.getLatLng())));
    this.map.on("click", (event) => placed(...this.rounded(event.latlng)));
    root.addEventListener("keydown", (event) => {
      if (event.target !== root || event.ctrlKey || event.metaKey || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      placed(...this.rounded(this.map.getCenter()));
    });
    this.map.on("zoomend", () => this.label());
    this.hover(root);
    this.show(MAINLAND);
    this.names = new TownNames(this.map, towns);
  }

  outline(feature) {
    const { code, name } = feature.properties;
    const layer = L.geoJSON(feature, { interactive: false, style: { className: "department", weight: 1 } }).addTo(this.map);
    const text = document.createElement("span");
    text.append(code, Object.assign(document.createElement("span"), { className: "name", textContent: ` ${name}` }));
    layer.bindTooltip(text, { permanent: true, direction: "center", className: "department-label", interactive: false });
    this.layers.set(code, layer);
  }

  /** The department under the mouse, in words. */
  hover(root) {
    const said = document.createElement("div");
    said.className = "hovered";
    said.setAttribute("aria-hidden", "true");
    said.hidden = true;
    root.append(said);
    let last = 0;
    this.map.on("mousemove", ({ latlng, originalEvent }) => {
      if (originalEvent.timeStamp - last < 60) return;
      last = originalEvent.timeStamp;
      const code = this.departments.at(latlng.lat, latlng.lng);
      said.hidden = code === null;
      if (code !== null) said.textContent = `${code} ${this.departments.names.get(code)}`;
    });
    this.map.on("mouseout", () => {
      said.hidden = true;
    });
  }

  /** Digits after the point as they can be told at this zoom: five are about a metre. */
  rounded({ lat, lng }) {
    const digits = this.map.getZoom() >= CLOSE ? 5 : 4;
    return [Number(lat.toFixed(digits)), Number(L.Util.wrapNum(lng, [-180, 180], true).toFixed(digits))];
  }

  label() {
    const { classList } = this.map.getContainer();
    classList.toggle("with-codes", this.map.getZoom() >= CODES_FROM);
    classList.toggle("with-names", this.map.getZoom() >= NAMES_FROM);
  }

  show(bounds) {
    this.map.fitBounds(bounds, { animate: false, maxZoom: FAR });
    this.label();
  }

  /** Put the marker there, and bring it into sight, from near if `near`; null takes it away. */
  place(point, near = false) {
    if (point === null) {
      this.marker.remove();
      return;
    }
    this.marker.setLatLng(point).addTo(this.map);
    if (near) this.map.setView(point, NEAR, { animate: false });
    else if (!this.map.getBounds().pad(-0.05).contains(point)) this.map.setView(point, Math.max(this.map.getZoom(), FAR));
  }

  /** Mark a department; `look` brings it into sight. */
  choose(code, look = false) {
    for (const [one, layer] of this.layers) {
      layer.eachLayer((path) => path.getElement()?.classList.toggle("chosen", one === code));
    }
    const chosen = this.layers.get(code);
    chosen?.bringToFront();
    if (chosen && look) this.show(chosen.getBounds());
  }
}
