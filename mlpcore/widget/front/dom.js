/** Small helpers: elements, numbers as text, colours. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element.
 * @param {string} tag may have classes: "div.row.wide"
 * @param {object} properties attributes; those that are functions listen to the event of their name
 * @param {...(Node|string)} children
 */
export function h(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return filled(document.createElement(name), classes, properties, children);
}

/** The same for SVG. */
export function svg(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  return filled(document.createElementNS(SVG, name), classes, properties, children);
}

function filled(element, classes, properties, children) {
  element.classList.add(...classes);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A number to read: three decimals, or three digits and an exponent. @param {number} value */
export function num(value) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size >= 1e4 || size < 5e-4 ? size.toExponential(2) : size.toFixed(size >= 100 ? 1 : 3);
  return value < 0 ? `−${text}` : text;
}

/** A superscript layer number and so on, where there is only text. */
export function sup(number) {
  return String(number).replace(/[0-9]/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
}

/** The colours of a theme as [red, green, blue], by the names of the style sheet. */
export function themeColours(root) {
  const style = getComputedStyle(root);
  const colour = (name) => rgb(style.getPropertyValue(name).trim());
  return { first: colour("--first"), second: colour("--second"), paper: colour("--paper"), ink: colour("--ink"),
           line: colour("--line") };
}

/** The colour of class c where there are more than two. */
export function classColour(c) {
  return rgb(["#e0761a", "#1f77d0", "#2a9d5c", "#b04fc0", "#b8a000", "#c23b4e", "#3aa6b9", "#7a6a5a", "#8fa31e", "#555fd0"][c % 10]);
}

/** A mixture, from a to b. */
export function mixed(a, b, share) {
  return a.map((part, i) => Math.round(part + (b[i] - part) * share));
}

/** For a style. */
export function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
