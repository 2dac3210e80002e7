// Search of a place by address, where the service has a geocoder.

import { element, uniqueId } from "./dom.js";
import { labelledField } from "./fields.js";

const LEAST_CHARACTERS = 3;

export class AddressSearch {
  /** `geocode(address)` returns places; `onPlace(place)` receives the chosen one. */
  constructor(geocode, announce, onPlace) {
    Object.assign(this, { geocode, announce, onPlace });
    const control = element("input", { type: "text", id: "address", autocomplete: "off", spellcheck: "false", maxlength: 200, placeholder: "8 boulevard du Port, Amiens" });
    this.field = labelledField("accident.adr", "Address", control);
    this.button = element("button", { type: "button", class: "quiet", id: "find-address", text: "Find", onclick: () => this.find() });
    this.hint = element("p", { class: "hint named", id: uniqueId("address-hint") });
    this.list = element("ul", { class: "places", "aria-label": "Places of the address" });
    control.setAttribute("aria-describedby", this.hint.id);
    control.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) this.find();
    });
    control.addEventListener("input", () => this.show([], ""));
    this.root = element("div", { class: "address" }, element("div", { class: "together" }, this.field.root, this.button), this.hint, this.list);
  }

  get value() {
    return this.field.value;
  }

  clear() {
    this.field.value = null;
    this.show([], "");
  }

  async find() {
    const address = this.field.value ?? "";
    if (address.length < LEAST_CHARACTERS) return;
    this.button.disabled = true;
    try {
      const { places } = await this.geocode(address);
      if (address !== this.field.value) return;
      if (places.length === 1) this.choose(places[0]);
      else this.show(places, places.length ? "Choose one:" : "No such address. Set the place on the map.");
    } catch {
      this.show([], "The address service does not answer. Set the place on the map.");
    } finally {
      this.button.disabled = false;
    }
    this.announce(this.list.children.length ? `${this.list.children.length} places found.` : this.hint.textContent);
  }

  show(places, hint) {
    this.hint.textContent = hint;
    this.list.replaceChildren(
      ...places.map((place) => element("li", {}, element("button", { type: "button", class: "link", text: place.label, onclick: () => this.choose(place) }))),
    );
  }

  choose(place) {
    this.field.value = place.label;
    this.show([], "");
    this.onPlace(place);
    this.hint.textContent = "Its place is taken.";
    this.field.control.focus();
  }
}
