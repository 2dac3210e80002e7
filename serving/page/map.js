// The map: outlines of departments, a marker, and a crosshair for the keyboard.

/* global L */

import { TownNames } from "./towns.js";

const MAINLAND = [[41.3, -5.2], [51.1, 9.6]];

/** Regions to show. */
export const VIEWS = {
  "Mainland and Corsica": MAINLAND,
  "Paris region": [[48.1, 1.4], [49.25, 3.6]],
  Guadeloupe: [[15.8, -61.85], [16.55, -60.95]],
  Martinique: [[14.35, -61.25], [14.9, -60.78]],
  Guyane: [[2.0, -54.7], [5.9, -51.5]],
  "La Réunion": [[-21.45, 55.15], [-20.82, 55.9]],
  Mayotte: [[-13.05, 44.95], [-12.6, 45.35]],
};

const MIN_ZOOM_CODES = 7;
const MIN_ZOOM_NAMES = 10;
const MIN_ZOOM_FIVE_DIGITS = 12;
const TOWN_ZOOM = 11;
const MAX_FIT_ZOOM = 10; // the outlines are too coarse for more

export class PlaceMap {
  /** `onPlace(latitude, longitude)` is called when the place is set on the map. */
  constructor(root, departments, towns, onPlace) {
    const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.departments = departments;
    this.map = L.map(root, {
      minZoom: 3,
      maxZoom: 15,
      zoomSnap: 0.25,
      zoomAnimation: !reducedMotion,
      fadeAnimation: !reducedMotion,
      inertia: !reducedMotion,
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
    this.marker.on("dragend", () => onPlace(...this.rounded(this.marker.getLatLng())));
    this.map.on("click", (event) => onPlace(...this.rounded(event.latlng)));
    root.addEventListener("keydown", (event) => {
      if (event.target !== root || event.ctrlKey || event.metaKey || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      onPlace(...this.rounded(this.map.getCenter()));
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

  /** Show the department under the mouse. */
  hover(root) {
    const tooltip = document.createElement("div");
    tooltip.className = "hovered";
    tooltip.setAttribute("aria-hidden", "true");
    tooltip.hidden = true;
    root.append(tooltip);
    let last = 0;
    this.map.on("mousemove", ({ latlng, originalEvent }) => {
      if (originalEvent.timeStamp - last < 60) return;
      last = originalEvent.timeStamp;
      const code = this.departments.at(latlng.lat, latlng.lng);
      tooltip.hidden = code === null;
      if (code !== null) tooltip.textContent = `${code} ${this.departments.names.get(code)}`;
    });
    this.map.on("mouseout", () => {
      tooltip.hidden = true;
    });
  }

  /** Coordinates rounded to the precision of the zoom; five decimals are about a metre. */
  rounded({ lat, lng }) {
    const digits = this.map.getZoom() >= MIN_ZOOM_FIVE_DIGITS ? 5 : 4;
    return [Number(lat.toFixed(digits)), Number(L.Util.wrapNum(lng, [-180, 180], true).toFixed(digits))];
  }

  label() {
    const { classList } = this.map.getContainer();
    classList.toggle("with-codes", this.map.getZoom() >= MIN_ZOOM_CODES);
    classList.toggle("with-names", this.map.getZoom() >= MIN_ZOOM_NAMES);
  }

  show(bounds) {
    this.map.fitBounds(bounds, { animate: false, maxZoom: MAX_FIT_ZOOM });
    this.label();
  }

  /** Move the marker and show it, closely if `close`; null removes it. */
  place(point, close = false) {
    if (point === null) {
      this.marker.remove();
      return;
    }
    this.marker.setLatLng(point).addTo(this.map);
    if (close) this.map.setView(point, TOWN_ZOOM, { animate: false });
    else if (!this.map.getBounds().pad(-0.05).contains(point)) this.map.setView(point, Math.max(this.map.getZoom(), MAX_FIT_ZOOM));
  }

  /** Highlight a department; `show` moves the map to it. */
  highlight(code, show = false) {
    for (const [one, layer] of this.layers) {
      layer.eachLayer((path) => path.getElement()?.classList.toggle("chosen", one === code));
    }
    const chosen = this.layers.get(code);
    chosen?.bringToFront();
    if (chosen && show) this.show(chosen.getBounds());
  }
}
