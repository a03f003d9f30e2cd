/** MathML: symbols of the paper, vectors and matrices of numbers. Browsers show it without any library. */
import { num } from "./dom.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
/** Longer vectors and matrices are shortened to so many rows or columns, and dots. */
const MOST_SHOWN = 8;

function m(tag, attributes, ...children) {
  const element = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An operator or punctuation. */
export const op = (text) => m("mo", {}, text);
/** A name; one letter is italic. */
export const id = (text) => m("mi", {}, text);
/** A number. */
export const n = (value) => m("mn", { class: "number" }, num(value));
/** Words within mathematics. */
export const words = (text) => m("mtext", {}, text.replace(/^ | $/g, "\u00a0"));
/** Several things side by side. */
export const row = (...parts) => m("mrow", {}, ...parts);
/** A letter with indices, either of which may be missing: letter^upper_lower. */
export function letter(text, upper, lower) {
  if (lower === undefined) return upper === undefined ? id(text) : m("msup", {}, id(text), part(upper));
  return upper === undefined ? m("msub", {}, id(text), part(lower)) : m("msubsup", {}, id(text), part(lower), part(upper));
}
/** base^exponent of two things. */
export const power = (base, exponent) => m("msup", {}, base, part(exponent));
/** base_index of two things. */
export const indexed = (base, index) => m("msub", {}, base, part(index));
/** In parentheses. */
export const parens = (...parts) => row(op("("), ...parts, op(")"));
/** A fraction. */
export const over = (above, below) => m("mfrac", {}, above, below);

function part(value) {
  return value instanceof Element ? value : /^[0-9]/.test(value) ? m("mn", {}, String(value)) : id(String(value));
}

/** The gradient of L with respect to something. */
export const gradient = (of) => row(indexed(op("∇"), of), id("L"));

/** Which of `count` places are shown; -1 stands for dots. */
function shown(count) {
  if (count <= MOST_SHOWN) return Array.from({ length: count }, (_, i) => i);
  return [...Array.from({ length: MOST_SHOWN - 2 }, (_, i) => i), -1, count - 1];
}

/**
 * A matrix of numbers in brackets.
 * @param {number} rows @param {number} columns @param {(i: number, k: number) => number} at
 */
export function matrix(rows, columns, at) {
  const across = shown(columns);
  // Browsers begin all cells of a column at its left: an unseen sign keeps digits below digits.
  const unseen = () => m("mphantom", {}, m("mn", { class: "number" }, "−"));
  const hasSigns = shown(rows).some((i) => across.some((k) => i >= 0 && k >= 0 && at(i, k) < 0));
  const aligned = (value) => (value < 0 || !hasSigns ? n(value) : row(unseen(), n(value)));
  const cell = (i, k) => m("mtd", {}, i < 0 || k < 0 ? op(i < 0 ? (k < 0 ? "⋱" : "⋮") : "⋯") : aligned(at(i, k)));
  const lines = shown(rows).map((i) => m("mtr", {}, ...across.map((k) => cell(i, k))));
  return row(op("["), m("mtable", { class: "matrix" }, ...lines), op("]"));
}

/** A column of numbers. */
export const column = (numbers) => matrix(numbers.length, 1, (i) => numbers[i]);
/** A row of numbers. */
export const across = (numbers) => matrix(1, numbers.length, (_, k) => numbers[k]);

/** A formula on its own lines, each a list of parts. @returns {Element} */
export function formula(...lines) {
  const rows = lines.map((parts) => m("mtr", {}, m("mtd", { class: "stacked" }, row(...parts))));
  return m("math", { display: "block" }, m("mtable", { class: "stack" }, ...rows));
}

/** A formula within text. */
export const inline = (...parts) => m("math", {}, row(...parts));
