// Starts the page: fetches the questions, asks for the answer, and asks for a key where one is needed.

import { inputFeatures, key, model, predict } from "./api.js";
import { percent, show, showError, spoken, words } from "./answer.js";
import { capital, element } from "./dom.js";
import { PRESETS } from "./layout.js";
import { Departments } from "./places.js";
import { Questions } from "./questions.js";
import { Towns } from "./towns.js";

const find = (id) => document.getElementById(id);
const NARROW = "(max-width: 999px)";
const UNAUTHORISED = 401;

let questions = null;
let asking = false;
let answeredFor = null;

const say = (text) => {
  find("said").textContent = "";
  setTimeout(() => (find("said").textContent = text), 50);
};

/** Words of an input, such as "Light" for `accident.lum` and "Person 2: Age (years)" for `people[1].an_nais`. */
function labelOf(name) {
  const field = questions?.find(name);
  const [, part, place] = /^(vehicles|people)\[(\d+)\]/.exec(name) ?? [];
  const meaning = questions?.meanings.get(name.replace(/\[\d+\]/, ""));
  const label = field?.label ?? capital(meaning ?? name);
  if (part) return `${part === "people" ? "Person" : "Vehicle"} ${Number(place) + 1}: ${label}`;
  const whose = { "vehicles.": "Vehicle: ", "people.": "Person: " };
  return (Object.entries(whose).find(([start]) => name.startsWith(start))?.[1] ?? "") + label;
}

async function start() {
  find("waiting").hidden = false;
  find("waiting").textContent = "Loading the questions…";
  try {
    const found = [inputFeatures(), Departments.load("/page/departments.geojson"), Towns.load("/page/towns.json")];
    const [features, departments, towns] = await Promise.all(found);
    find("questions").hidden = false;
    questions = new Questions(features.parts, { departments, towns }, say);
    find("waiting").hidden = true;
    find("ask").disabled = find("clear").disabled = false;
    offerPresets();
    nameModel();
  } catch (error) {
    find("questions").hidden = true;
    if (error.status === UNAUTHORISED) needKey(error);
    else failedToStart(error);
  }
}

function failedToStart(error) {
  const again = element("button", { type: "button", class: "primary", text: "Try again", onclick: start });
  find("waiting").replaceChildren(`The questions could not be loaded: ${error.message} `, again);
}

async function nameModel() {
  try {
    const { name, version, level } = await model();
    find("model").textContent = `${name}, version ${version}, level ${level}`;
    find("model").hidden = false;
  } catch {
    find("model").hidden = true;
  }
}

function offerPresets() {
  const offered = PRESETS.map((preset) => element("button", { type: "button", class: "preset", text: preset.title, onclick: () => questions.fill(preset) }));
  find("presets").replaceChildren(...offered);
}

async function ask() {
  if (asking || !questions) return;
  asking = true;
  find("ask").setAttribute("aria-busy", "true");
  find("ask-words").textContent = "Asking…";
  questions.clearErrors();
  questions.where.townTyped(true); // Ctrl+Enter comes before the field is left
  const { content, problems } = questions.collect();
  try {
    if (problems.length) throw Object.assign(new Error("Some fields cannot be used."), { problems });
    answered(await predict(content));
    answeredFor = JSON.stringify(content);
    changed();
  } catch (error) {
    refused(error);
  } finally {
    asking = false;
    find("ask").removeAttribute("aria-busy");
    find("ask-words").textContent = "Ask for the priority";
  }
}

function answered(answer) {
  show(find("answer-body"), answer, { labelOf, goTo: (name) => questions.find(name)?.focus() });
  find("brief").hidden = false;
  find("brief").className = `brief ${answer.prediction === 1 ? "above" : "below"}`;
  find("brief").textContent = `${words(answer)}, ${percent(answer.probability)}`;
  say(spoken(answer));
  lookAtAnswer();
}

function refused(error) {
  if (error.status === UNAUTHORISED) {
    needKey(error);
    return;
  }
  const problems = questions.fail(error.problems ?? []);
  answeredFor = null;
  find("brief").hidden = true;
  find("answer").classList.remove("stale");
  showError(find("answer-body"), error, problems, labelOf);
  say(problems.length ? `${problems.length} to correct. ${labelOf(problems[0].field)}: ${problems[0].reason}.` : error.message);
  const first = problems.find((problem) => problem.at);
  if (first) first.at.focus();
  else lookAtAnswer();
}

/** On a phone the answer stands below the form. */
function lookAtAnswer() {
  if (!window.matchMedia(NARROW).matches) return;
  find("answer").focus({ preventScroll: true });
  find("answer").scrollIntoView({ block: "start" });
}

/** Say so where what was answered is no longer what stands in the form. */
function changed() {
  if (answeredFor === null) return;
  const stale = JSON.stringify(questions.collect().content) !== answeredFor;
  find("answer").classList.toggle("stale", stale);
  find("brief").classList.toggle("stale", stale);
}

function needKey(error) {
  const wrong = key.get() !== null;
  key.forget();
  find("forget-key").hidden = true;
  find("key-form").hidden = false;
  if (wrong) find("key-why").textContent = `The key was not accepted: ${error.message}`;
  find("waiting").hidden = true;
  find("key").focus();
  say(find("key-why").textContent);
}

find("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key.set(find("key").value.trim());
  find("key").value = "";
  find("key-form").hidden = true;
  find("forget-key").hidden = false;
  if (questions) ask();
  else start().then(() => questions && find("form").focus());
});

find("forget-key").addEventListener("click", () => {
  key.forget();
  find("forget-key").hidden = true;
  say("The key is forgotten.");
});

find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
find("form").addEventListener("input", changed);
find("form").addEventListener("change", changed);

// Enter in a text field would send the form: only the button and Ctrl+Enter do.
find("form").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input") && !event.ctrlKey && !event.metaKey) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.target === find("key")) return;
  event.preventDefault();
  ask();
});

find("add-vehicle").addEventListener("click", () => {
  const vehicle = questions.parties.add();
  say(`Vehicle ${vehicle.letter} added.`);
  vehicle.focus();
});
find("clear").addEventListener("click", () => {
  questions.clear();
  find("date").focus();
});

find("forget-key").hidden = key.get() === null;
start();
