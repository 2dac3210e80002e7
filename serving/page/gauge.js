// The probability as a half circle from 0 to 100 %, with a mark at the threshold.

import { svgElement } from "./dom.js";

const WIDTH = 240;
const HEIGHT = 140;
const [X, Y, RADIUS] = [120, 122, 92];

const pointAt = (share, radius) => {
  const angle = Math.PI * (1 - share);
  return [X + radius * Math.cos(angle), Y - radius * Math.sin(angle)].map((value) => value.toFixed(2));
};

const arc = (from, to, radius) => `M${pointAt(from, radius)} A${radius} ${radius} 0 0 1 ${pointAt(to, radius)}`;

export function gauge(probability, threshold, percent, tone) {
  const [outer, inner] = [pointAt(threshold, RADIUS + 15), pointAt(threshold, RADIUS - 15)];
  const labelAt = pointAt(threshold, RADIUS + 24);
  const anchor = threshold < 0.4 ? "end" : threshold > 0.6 ? "start" : "middle";
  const parts = [
    svgElement("path", { class: "scale below", d: arc(0, threshold, RADIUS) }),
    svgElement("path", { class: "scale above", d: arc(threshold, 1, RADIUS) }),
    svgElement("path", { class: `reached ${tone}`, d: arc(0, Math.max(probability, 0.004), RADIUS) }),
    svgElement("line", { class: "threshold", x1: outer[0], y1: outer[1], x2: inner[0], y2: inner[1] }),
    svgElement("text", { class: "at-threshold", x: labelAt[0], y: labelAt[1], "text-anchor": anchor, text: percent(threshold) }),
    svgElement("text", { class: "probability", x: X, y: Y - 14, "text-anchor": "middle", text: percent(probability) }),
    svgElement("text", { class: "what", x: X, y: Y + 6, "text-anchor": "middle", text: "probability" }),
  ];
  const label = `Probability ${percent(probability)}; priority from ${percent(threshold)}`;
  return svgElement("svg", { class: "gauge", viewBox: `-14 -4 ${WIDTH + 28} ${HEIGHT}`, role: "img", "aria-label": label }, ...parts);
}
