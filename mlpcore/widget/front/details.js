/** What is pointed at, with the numbers of one sample: a weight with its equation 3, a unit with its z, a and phi. */
import { h } from "./dom.js";
import { formula, gradient, id, inline, letter, n, op, over, parens, power, row, words } from "./math.js";

const MOST_TERMS = 4;

/**
 * @param {{kind: string, j: number, i: number, k?: number}} what
 * @param {object} task @param {object} view of one sample, or of the first of a batch
 * @returns {Element[]} a heading and its formulas
 */
export function detailsOf(what, task, view) {
  const of = view.n === 1 ? `sample ${view.row}` : `sample ${view.row}, the first of a batch of ${view.n}`;
  const makers = { weight: weightDetails, unit: what.j === 0 ? inputDetails : unitDetails };
  const [title, ...rest] = makers[what.kind](what, task, view);
  return [h("h3", {}, title, h("small", {}, ` ${of}`)), ...rest];
}

function weightDetails({ j, i, k }, task, view) {
  const out = task.sizes[j];
  const { x, phi, grad_w } = view.layers[j - 1];
  const at = k * out + i;
  const name = letter("w", j, index(i, k));
  const value = [name, op("="), n(view.weights[j - 1].w[at])];
  const title = `Weight from ${j === 1 ? "input" : "unit"} ${k + 1} to unit ${i + 1} of layer ${j}`;
  if (!phi) return [title, formula(value), h("p", {}, "Its gradient comes with equation 3.")];
  const others = view.n > 1 ? [op("+"), op("⋯")] : [];
  const slope = over(row(op("∂"), id("L")), row(op("∂"), name.cloneNode(true)));
  return [title, formula(
    value,
    [words("eq. 3: "), slope, op("="), ...(view.n > 1 ? [op("∑")] : []), letter("φ", j, i + 1), letter("a", j - 1, k + 1), op("="),
     signed(phi[i]), op("·"), signed(x[k]), ...others, op("="), n(grad_w[at])],
  )];
}

function inputDetails({ i }, task, view) {
  return [`Input ${i + 1}`, formula([letter("x", undefined, i + 1), op("="), letter("a", 0, i + 1), op("="), n(view.layers[0].x[i])])];
}

function unitDetails({ j, i }, task, view) {
  const { z, a, phi, grad_b } = view.layers[j - 1];
  const lines = [zLine(j, i, task, view), aLine(j, i, task, z, a)];
  if (phi) {
    lines.push(phiLine(j, i, task, view));
    lines.push([gradient(letter("b", j, i + 1)), op("="), ...(view.n > 1 ? [op("∑")] : []), letter("φ", j, i + 1), op("="), n(grad_b[i])]);
  }
  const title = `Unit ${i + 1} of layer ${j}`;
  return phi ? [title, formula(...lines), weightsTable(j, i, task, view)] : [title, formula(...lines), h("p", {}, "φ comes with equation 1 or 2.")];
}

/** z_i = sum over k of w_{i,k} a_k + b_i */
function zLine(j, i, task, view) {
  const { w, b } = view.weights[j - 1], { x, z } = view.layers[j - 1], out = task.sizes[j];
  const terms = Array.from(x).slice(0, MOST_TERMS).flatMap((value, k) => [...(k ? [op("+")] : []), signed(w[k * out + i]), op("·"), signed(value)]);
  const more = x.length > MOST_TERMS ? [op("+"), op("⋯")] : [];
  return [letter("z", j, i + 1), op("="), op("∑"), letter("w", j, index(i, "k")), letter("a", j - 1, "k"), op("+"), letter("b", j, i + 1),
          op("="), ...terms, ...more, op("+"), signed(b[i]), op("="), n(z[i])];
}

function aLine(j, i, task, z, a) {
  return [letter("a", j, i + 1), op("="), words(task.activations[j - 1]), parens(task.words.activations[task.activations[j - 1]].row ? letter("z", j) : n(z[i])),
          op("="), n(a[i])];
}

function phiLine(j, i, task, view) {
  const { phi, grad_a, dsigma, a } = view.layers[j - 1];
  const name = letter("φ", j, i + 1), last = j === task.sizes.length - 1;
  if (task.words.activations[task.activations[j - 1]].row) {
    const share = view.n > 1 ? [over(words("1"), words(String(view.n)))] : [];
    return [words("eq. 1: "), name, op("="), ...share, parens(letter("a", j, i + 1), op("−"), letter("y", undefined, i + 1)), op("="), ...share.map((each) => each.cloneNode(true)),
            parens(n(a[i]), op("−"), n(view.y[i])), op("="), n(phi[i])];
  }
  const factor = last ? row(op("∂"), id("L"), op("/"), op("∂"), letter("a", j, i + 1)) : row(op("("), power(parens(letter("w", j + 1)), id("T")), letter("φ", j + 1), op(")"));
  return [words(last ? "eq. 1: " : "eq. 2: "), name, op("="), factor, op("·"), power(id("σ"), op("′")), parens(letter("z", j, i + 1)), op("="),
          signed(grad_a[i]), op("·"), signed(dsigma[i]), op("="), n(phi[i])];
}

/** The weights of a unit, for those who do not point with a mouse. */
function weightsTable(j, i, task, view) {
  const out = task.sizes[j], { w } = view.weights[j - 1], { x, grad_w } = view.layers[j - 1];
  const head = h("tr", {}, ...[[id("k")], [letter("w", j, index(i, "k"))], [letter("a", j - 1, "k")], [words("eq. 3: "), gradient(letter("w", j, index(i, "k")))]]
    .map((parts) => h("th", { scope: "col" }, inline(...parts))));
  const rows = Array.from(x, (value, k) => h("tr", {}, ...[`${k + 1}`, n(w[k * out + i]), n(value), n(grad_w[k * out + i])]
    .map((each) => h("td", {}, typeof each === "string" ? each : inline(each)))));
  return h("details", {}, h("summary", {}, "Its weights, each with its equation 3"), h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)));
}

/** In parentheses if it is negative. */
function signed(value) {
  return value < 0 ? parens(n(value)) : n(value);
}

/** The index i, k of a weight, counted from 1. */
function index(i, k) {
  return row(words(String(i + 1)), op(","), typeof k === "number" ? words(String(k + 1)) : id(k));
}
