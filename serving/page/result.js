// The prediction, or the error.

import { capital, element } from "./dom.js";
import { gauge } from "./gauge.js";

const MEANING = {
  1: "A death or a hospital stay of more than a day is likely enough to give this accident priority.",
  0: "A death or a hospital stay of more than a day is not likely enough to give this accident priority.",
};

export const percent = (share) => {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  const digits = share < 0.1 || share > 0.9 ? 1 : 0;
  return `${(100 * share).toFixed(digits)} %`;
};

/** Show a prediction in `root`. `labelOf` returns the label of an input, `goTo` focuses its field. */
export function showPrediction(root, answer, { labelOf, goTo }) {
  const priority = answer.prediction === 1;
  const model = answer.model;
  const tone = answer.tentative ? "tentative" : priority ? "above" : "below";
  root.replaceChildren(
    element("p", { class: `verdict ${tone}` }, element("span", { class: "sign", "aria-hidden": "true", text: priority ? "▲" : "▽" }), ` ${verdict(answer)}`),
    gauge(answer.probability, answer.threshold, percent, tone),
    ...knowledge(answer),
    ...(answer.tentative ? [] : [element("p", { class: "plain", text: `${MEANING[priority ? 1 : 0]} ${closeCallHint(answer)}` })]),
    ...warnings(answer.warnings),
    ...questions(answer.ask, labelOf, goTo),
    ...reasons(answer),
    ...derived(answer.derived, labelOf),
    ...missing(answer.missing, labelOf, goTo),
    element(
      "dl",
      { class: "facts-of-answer" },
      element("dt", { text: "Model" }),
      element("dd", { text: `${model.name}, version ${model.version} (level ${answer.level})` }),
      element("dt", { text: "Prediction" }),
      element("dd", {}, element("code", { text: answer.prediction_id }), copyButton(answer.prediction_id)),
    ),
  );
}

/** The verdict, tentative where little is known. */
export const verdict = (answer) => `${answer.tentative ? "Tentative: " : ""}${answer.prediction === 1 ? "priority" : "not priority"}`.replace(/^./, (first) => first.toUpperCase());

function knowledge(answer) {
  const advice = answer.tentative ? " Ask for more before you rely on this." : "";
  return [element("p", { class: "hint known", text: `${percent(answer.share_known)} of what usually decides is known.${advice}` })];
}

/** Summary for screen readers. */
export function spokenSummary(answer) {
  const strongest = answer.reasons?.[0] ? ` Strongest reason: ${answer.reasons[0].text}.` : "";
  const doubts = answer.warnings.length ? ` Warning: ${answer.warnings.join("; ")}.` : "";
  return `${verdict(answer)}. Probability ${percent(answer.probability)}, priority from ${percent(answer.threshold)}.${doubts}${strongest}`;
}

function closeCallHint({ probability, threshold }) {
  const ratio = probability / threshold;
  if (ratio >= 0.8 && ratio <= 1.25) return "It is close to the threshold: look twice.";
  return "";
}

function warnings(texts) {
  if (!texts.length) return [];
  return [element("div", { class: "note warning" }, element("strong", { text: "Please check" }), element("ul", {}, ...texts.map((text) => element("li", { text: capital(text) }))))];
}

function reasons({ reasons: all, unit }) {
  if (!all?.length) return [];
  const largest = Math.max(...all.map((reason) => Math.abs(reason.contribution)), 0.01);
  const rows = all.map((reason) => {
    const positive = reason.contribution >= 0;
    const bar = element("span", { class: `bar ${positive ? "above" : "below"}` });
    bar.style.width = `${(50 * Math.abs(reason.contribution)) / largest}%`;
    return element(
      "li",
      {},
      element("span", { class: "reason", text: capital(reason.text) }),
      element("span", { class: "amount" }, signed(reason.contribution), element("span", { class: "unseen", text: positive ? " towards priority" : " away from priority" })),
      element("span", { class: "axis", "aria-hidden": "true" }, bar),
    );
  });
  return [
    element("h3", { text: "Strongest reasons" }),
    element("p", { class: "legend", "aria-hidden": "true" }, element("span", { text: "◂ away from priority" }), element("span", { text: "towards priority ▸" })),
    element("ol", { class: "reasons" }, ...rows),
    element("p", { class: "hint", text: unit === "log-odds" ? "Contributions in log-odds, before calibration." : `Contributions in ${unit}.` }),
  ];
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

function questions(all, labelOf, goTo) {
  if (!all?.length) return [];
  const label = (field) => (field === "accident.lat" ? "Coordinates" : labelOf(field));
  const items = all.map(({ field }) => element("li", {}, element("button", { type: "button", class: "link", onclick: () => goTo(field), text: label(field) })));
  return [element("div", { class: "ask-next" }, element("h3", { text: "Ask next" }), element("ol", {}, ...items))];
}

function derived(facts, labelOf) {
  if (!facts.length) return [];
  const items = facts.map((fact) =>
    element("li", {}, `${labelOf(fact.field)}: `, element("strong", { text: fact.meaning || String(fact.value) }), element("span", { class: "hint", text: ` from ${fact.source}` })),
  );
  return [element("div", { class: "derived" }, element("h3", { text: "Derived from what was given" }), element("ul", {}, ...items))];
}

function missing(names, labelOf, goTo) {
  if (!names.length) return [];
  const items = names.map((name) => element("li", {}, element("button", { type: "button", class: "link", onclick: () => goTo(name), text: labelOf(name) })));
  const title = names.length === 1 ? "1 input was not known" : `${names.length} inputs were not known`;
  return [element("details", { class: "missing" }, element("summary", { text: title }), element("ul", {}, ...items))];
}

function copyButton(text) {
  const button = element("button", { type: "button", class: "quiet copy", "aria-label": "Copy the prediction id", text: "Copy" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.previousElementSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

const HELP = {
  0: "Check the connection and ask again; nothing of the form is lost.",
  403: "This key may not ask for predictions. Ask the administrator for another one.",
  413: "The accident is too large: remove vehicles or people.",
  429: "Too many questions at once.",
  503: "No model is in service yet. Ask again in a moment.",
};

/** Show an error in `root`; `input` of a problem is its field. */
export function showError(root, error, problems, labelOf) {
  const wait = error.retryAfter ? ` Ask again in ${error.retryAfter} s.` : "";
  const items = problems.map((problem) => {
    const name = labelOf(problem.field);
    const text = `${name}: ${problem.value ? `${problem.value} ` : ""}${problem.reason}`;
    return element("li", {}, problem.input ? element("button", { type: "button", class: "link", text, onclick: () => problem.input.focus() }) : text);
  });
  const title = problems.length ? "Please correct" : "No answer";
  root.replaceChildren(
    element(
      "div",
      { class: "note error-note" },
      element("strong", { text: title }),
      element("p", { text: problems.length ? "These fields cannot be used as they are. Correct them, or leave them empty." : `${error.message}${HELP[error.status] ? ` ${HELP[error.status]}` : ""}${wait}` }),
      items.length ? element("ul", {}, ...items) : null,
      error.request ? element("p", { class: "hint", text: `Request ${error.request}` }) : null,
    ),
  );
}
