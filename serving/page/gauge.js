// The probability as a half circle from 0 to 100 %, with a mark at the threshold.

import { drawn } from "./dom.js";

const WIDTH = 240;
const HEIGHT = 140;
const [X, Y, RADIUS] = [120, 122, 92];

const at = (share, radius) => {
  const angle = Math.PI * (1 - share);
  return [X + radius * Math.cos(angle), Y - radius * Math.sin(angle)].map((value) => value.toFixed(2));
};

const arc = (from, to, radius) => `M${at(from, radius)} A${radius} ${radius} 0 0 1 ${at(to, radius)}`;

export function gauge(probability, threshold, percent, priority) {
  const [outer, inner] = [at(threshold, RADIUS + 15), at(threshold, RADIUS - 15)];
  const words = at(threshold, RADIUS + 24);
  const anchor = threshold < 0.4 ? "end" : threshold > 0.6 ? "start" : "middle";
  const parts = [
    drawn("path", { class: "scale below", d: arc(0, threshold, RADIUS) }),
    drawn("path", { class: "scale above", d: arc(threshold, 1, RADIUS) }),
    drawn("path", { class: `reached ${priority ? "above" : "below"}`, d: arc(0, Math.max(probability, 0.004), RADIUS) }),
    drawn("line", { class: "threshold", x1: outer[0], y1: outer[1], x2: inner[0], y2: inner[1] }),
    drawn("text", { class: "at-threshold", x: words[0], y: words[1], "text-anchor": anchor, text: percent(threshold) }),
    drawn("text", { class: "probability", x: X, y: Y - 14, "text-anchor": "middle", text: percent(probability) }),
    drawn("text", { class: "what", x: X, y: Y + 6, "text-anchor": "middle", text: "probability" }),
  ];
  const label = `Probability ${percent(probability)}; priority from ${percent(threshold)}`;
  return drawn("svg", { class: "gauge", viewBox: `-14 -4 ${WIDTH + 28} ${HEIGHT}`, role: "img", "aria-label": label }, ...parts);
}
