// Entry point: loads the form, requests predictions, and prompts for an API key where one is required.

import { geocode, inputFeatures, key, model, predict } from "./api.js";
import { percent, showError, showPrediction, spokenSummary, verdict } from "./result.js";
import { capital, element } from "./dom.js";
import { PRESETS } from "./layout.js";
import { Departments } from "./departments.js";
import { AccidentForm } from "./accident_form.js";
import { Towns } from "./towns.js";

const byId = (id) => document.getElementById(id);
const NARROW = "(max-width: 999px)";
const UNAUTHORISED = 401;

let form = null;
let pending = false;
let submittedContent = null;

const announce = (text) => {
  byId("announcer").textContent = "";
  setTimeout(() => (byId("announcer").textContent = text), 50);
};

/** Label of an input, such as "Light" for `accident.lum` and "Person 2: Age (years)" for `people[1].an_nais`. */
function labelOf(name) {
  const field = form?.find(name);
  const [, part, place] = /^(vehicles|people)\[(\d+)\]/.exec(name) ?? [];
  const meaning = form?.meanings.get(name.replace(/\[\d+\]/, ""));
  const label = field?.label ?? capital(meaning ?? name);
  if (part) return `${part === "people" ? "Person" : "Vehicle"} ${Number(place) + 1}: ${label}`;
  const whose = { "vehicles.": "Vehicle: ", "people.": "Person: " };
  return (Object.entries(whose).find(([start]) => name.startsWith(start))?.[1] ?? "") + label;
}

async function loadForm() {
  byId("waiting").hidden = false;
  byId("waiting").textContent = "Loading the form…";
  try {
    const requests = [inputFeatures(), Departments.load("page/outlines/departments.geojson"), Towns.load("page/towns.json")];
    const [features, departments, towns] = await Promise.all(requests);
    byId("fields").hidden = false;
    form = new AccidentForm(features.parts, { departments, towns, geocode: features.lookups.address ? geocode : null }, announce);
    byId("waiting").hidden = true;
    byId("ask").disabled = byId("clear").disabled = false;
    showPresets();
    showModel();
  } catch (error) {
    byId("fields").hidden = true;
    if (error.status === UNAUTHORISED) promptForKey(error);
    else showLoadError(error);
  }
}

function showLoadError(error) {
  const again = element("button", { type: "button", class: "primary", text: "Try again", onclick: loadForm });
  byId("waiting").replaceChildren(`The form could not be loaded: ${error.message} `, again);
}

async function showModel() {
  try {
    const { name, version, level } = await model();
    byId("model").textContent = `${name}, version ${version}, level ${level}`;
    byId("model").hidden = false;
  } catch {
    byId("model").hidden = true;
  }
}

function showPresets() {
  const buttons = PRESETS.map((preset) => element("button", { type: "button", class: "preset", text: preset.title, onclick: () => form.fill(preset) }));
  byId("presets").replaceChildren(...buttons);
}

async function submit() {
  if (pending || !form) return;
  pending = true;
  byId("ask").setAttribute("aria-busy", "true");
  byId("ask-words").textContent = "Asking…";
  form.clearErrors();
  form.timeAndPlace.onTownInput(true); // Ctrl+Enter comes before the field is left
  const { content, problems } = form.collect();
  try {
    if (problems.length) throw Object.assign(new Error("Some fields cannot be used."), { problems });
    showResult(await predict(content));
    submittedContent = JSON.stringify(content);
    markOutdated();
  } catch (error) {
    handleError(error);
  } finally {
    pending = false;
    byId("ask").removeAttribute("aria-busy");
    byId("ask-words").textContent = "Ask for the priority";
  }
}

function showResult(answer) {
  showPrediction(byId("answer-body"), answer, { labelOf, goTo: (name) => form.find(name)?.focus() });
  byId("brief").hidden = false;
  byId("brief").className = `brief ${answer.prediction === 1 ? "above" : "below"}`;
  byId("brief").textContent = `${verdict(answer)}, ${percent(answer.probability)}`;
  announce(spokenSummary(answer));
  scrollToResult();
}

function handleError(error) {
  if (error.status === UNAUTHORISED) {
    promptForKey(error);
    return;
  }
  const problems = form.showProblems(error.problems ?? []);
  submittedContent = null;
  byId("brief").hidden = true;
  byId("answer").classList.remove("stale");
  showError(byId("answer-body"), error, problems, labelOf);
  announce(problems.length ? `${problems.length} to correct. ${labelOf(problems[0].field)}: ${problems[0].reason}.` : error.message);
  const first = problems.find((problem) => problem.input);
  if (first) first.input.focus();
  else scrollToResult();
}

/** On a phone the result is below the form. */
function scrollToResult() {
  if (!window.matchMedia(NARROW).matches) return;
  byId("answer").focus({ preventScroll: true });
  byId("answer").scrollIntoView({ block: "start" });
}

/** Mark the result as outdated when the form has changed. */
function markOutdated() {
  if (submittedContent === null) return;
  const stale = JSON.stringify(form.collect().content) !== submittedContent;
  byId("answer").classList.toggle("stale", stale);
  byId("brief").classList.toggle("stale", stale);
}

function promptForKey(error) {
  const rejected = key.get() !== null;
  key.forget();
  byId("forget-key").hidden = true;
  byId("key-form").hidden = false;
  if (rejected) byId("key-why").textContent = `The key was not accepted: ${error.message}`;
  byId("waiting").hidden = true;
  byId("key").focus();
  announce(byId("key-why").textContent);
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key.set(byId("key").value.trim());
  byId("key").value = "";
  byId("key-form").hidden = true;
  byId("forget-key").hidden = false;
  if (form) submit();
  else loadForm().then(() => form && byId("form").focus());
});

byId("forget-key").addEventListener("click", () => {
  key.forget();
  byId("forget-key").hidden = true;
  announce("The key is forgotten.");
});

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
byId("form").addEventListener("input", markOutdated);
byId("form").addEventListener("change", markOutdated);

// Enter in a text field would send the form: only the button and Ctrl+Enter do.
byId("form").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input") && !event.ctrlKey && !event.metaKey) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.target === byId("key")) return;
  event.preventDefault();
  submit();
});

byId("add-vehicle").addEventListener("click", () => {
  const vehicle = form.vehicles.add();
  announce(`Vehicle ${vehicle.letter} added.`);
  vehicle.focus();
});
byId("clear").addEventListener("click", () => {
  form.clear();
  byId("date").focus();
});

byId("forget-key").hidden = key.get() === null;
loadForm();
