/**
 * The equations of one batch, in order: forward z and a of each layer, the loss, then phi, grad_w and grad_b from the last
 * layer down (equations 1 to 4 of the paper), then the step of the weights. Each is shown in symbols and with numbers.
 */
import { across, column, formula, gradient, id, indexed, letter, matrix, n, op, over, parens, power, row, words } from "./math.js";

/**
 * @param {object} task
 * @returns {{kind: string, j: number, call?: string}[]} `call`: what the engine is asked before the equation is shown
 */
export function equationsOf(task) {
  const J = task.sizes.length - 1;
  const list = [];
  for (let j = 1; j <= J; j++) list.push({ kind: "z", j }, { kind: "a", j });
  list.push({ kind: "loss", j: J });
  for (let j = J; j >= 1; j--) list.push({ kind: "phi", j }, { kind: "grad_w", j }, { kind: "grad_b", j });
  for (let j = 1; j <= J; j++) list.push({ kind: "update", j });
  list[0].call = "forward";
  list[2 * J].call = "backward";
  list[5 * J + 1].call = "update";
  return list;
}

/** What the equation is called. @param {object} equation @param {object} task */
export function titleOf({ kind, j }, task) {
  const J = task.sizes.length - 1;
  const number = { phi: j === J ? 1 : 2, grad_w: 3, grad_b: 4 }[kind];
  const where = kind === "loss" ? "" : `, layer ${j}`;
  const name = { z: "Forward: z", a: "Forward: a", loss: "The loss", update: "The step of the weights" }[kind];
  return `${number ? `Equation ${number}` : name}${where}`;
}

/** One sentence on it. */
export function sentenceOf({ kind, j }, task, view) {
  const J = task.sizes.length - 1;
  const one = view.n === 1;
  const batch = one ? "the sample" : `the ${view.n} samples`;
  switch (kind) {
    case "z": return `Each unit adds up its inputs, times its weights, and its bias.${one ? "" : ` Shown: the first of ${view.n} samples.`}`;
    case "a": return `The activation ${task.activations[j - 1]} of z.`;
    case "loss": return one ? "How far the output is from y." : `How far outputs are from y: the mean over ${batch}. Shown: a and y of the first.`;
    case "phi": return `${j === J ? "The gradient of the loss with respect to z of the last layer" : "The gradient with respect to z, passed down through the weights of the layer above"}${one ? "." : `; it holds the 1/${view.n} of the mean.`}`;
    case "grad_w": return `The gradient with respect to the weights: an outer product${one ? "." : `, summed over ${batch}.`}`;
    case "grad_b": return `The gradient with respect to the biases: φ itself${one ? "." : `, summed over ${batch}.`}`;
    default: return task.optimizer === task.words.plain ? "Each weight goes against its gradient, by the learning rate times it."
      : `${task.optimizer}: ${task.words.optimizers[task.optimizer].formula}`;
  }
}

/**
 * The equation with numbers.
 * @param {object} equation @param {object} task
 * @param {object} view of the first sample of the batch; `weights` as they were then
 * @param {object} after weights after the step @param {number} rate
 */
export function mathOf({ kind, j }, task, view, after, rate) {
  const shape = { j, J: task.sizes.length - 1, in: task.sizes[j - 1], out: task.sizes[j] };
  const makers = { z: mathOfZ, a: mathOfA, loss: mathOfLoss, phi: j === shape.J ? mathOfLastPhi : mathOfPhi,
                   grad_w: mathOfGradW, grad_b: mathOfGradB, update: mathOfUpdate };
  return makers[kind](shape, task, view, after, rate);
}

/** w (out, in) of a layer, from its order in memory. */
const weights = (w, out, inputs) => matrix(out, inputs, (i, k) => w[k * out + i]);
const phi = (j) => letter("φ", j);
const hadamard = () => op("∘");
const derivative = (j) => row(power(id("σ"), op("′")), parens(letter("z", j)));

function mathOfZ({ j, in: inputs, out }, task, view) {
  const { w, b } = view.weights[j - 1], { x, z } = view.layers[j - 1];
  return formula(
    [letter("z", j), op("="), letter("w", j), letter("a", j - 1), op("+"), letter("b", j)],
    [op("="), weights(w, out, inputs), column(x), op("+"), column(b), op("="), column(z)],
  );
}

function mathOfA({ j }, task, view) {
  const { z, a } = view.layers[j - 1], name = task.activations[j - 1];
  return formula(
    [letter("a", j), op("="), id("σ"), parens(letter("z", j)), op(","), words(` σ: ${task.words.activations[name].formula}`)],
    [op("="), words(name), column(z), op("="), column(a)],
  );
}

function mathOfLoss({ J }, task, view) {
  return formula(
    [id("L"), op("="), words(` ${task.words.losses[task.loss_name].formula.split(";")[0]}`)],
    [letter("a", J), op("="), column(view.layers[J - 1].a), op(","), id("y"), op("="), column(view.y), op(","), id("L"), op("="), n(view.loss)],
  );
}

function mathOfLastPhi({ J }, task, view) {
  const { a, dsigma, grad_a, phi: value } = view.layers[J - 1];
  const difference = [...(view.n > 1 ? [over(n1(1), n1(view.n))] : []), parens(letter("a", J), op("−"), id("y"))];
  const numbers = [...(view.n > 1 ? [over(n1(1), n1(view.n))] : []), parens(column(a), op("−"), column(view.y)), op("="), column(value)];
  if (task.words.activations[task.activations[J - 1]].row) { // a whole row at once: there is no elementwise derivative
    return formula([phi(J), op("="), gradient(letter("z", J)), op("="), ...difference], [op("="), ...numbers]);
  }
  const general = [
    [phi(J), op("="), gradient(letter("a", J)), hadamard(), derivative(J)],
    [op("="), column(grad_a), hadamard(), column(dsigma), op("="), column(value)],
  ];
  if (task.loss_name !== task.words.outputs["sigmoid-bce"][1]) return formula(...general);
  return formula(...general, [words("and shorter: "), phi(J), op("="), ...difference, op("="), ...numbers]);
}

function mathOfPhi({ j, out }, task, view) {
  const { dsigma, grad_a, phi: value } = view.layers[j - 1];
  const above = task.sizes[j + 1], w = view.weights[j].w;
  const transposed = matrix(out, above, (k, i) => w[k * above + i]);
  return formula(
    [phi(j), op("="), power(parens(letter("w", j + 1)), id("T")), phi(j + 1), hadamard(), derivative(j)],
    [op("="), transposed, column(view.layers[j].phi), hadamard(), column(dsigma)],
    [op("="), column(grad_a), hadamard(), column(dsigma), op("="), column(value)],
  );
}

function mathOfGradW({ j, in: inputs, out }, task, view) {
  const { x, phi: value, grad_w } = view.layers[j - 1];
  const product = [phi(j), power(parens(letter("a", j - 1)), id("T"))];
  const sum = view.n > 1 ? [indexed(op("∑"), words(`${view.n} samples`))] : [];
  const others = view.n > 1 ? [op("+"), op("⋯")] : [];
  return formula(
    [gradient(letter("w", j)), op("="), ...sum, ...product],
    [op("="), column(value), across(x), ...others],
    [op("="), weights(grad_w, out, inputs)],
  );
}

function mathOfGradB({ j }, task, view) {
  const { phi: value, grad_b } = view.layers[j - 1];
  const sum = view.n > 1 ? [indexed(op("∑"), words(`${view.n} samples`))] : [];
  const others = view.n > 1 ? [op("+"), op("⋯"), op("="), column(grad_b)] : [];
  return formula([gradient(letter("b", j)), op("="), ...sum, phi(j), op("="), column(value), ...others]);
}

function mathOfUpdate({ j, in: inputs, out }, task, view, after, rate) {
  const before = view.weights[j - 1], now = after[j - 1], { grad_w, grad_b } = view.layers[j - 1];
  const plain = task.optimizer === task.words.plain;
  const step = (letterOf, old, grad) => (plain ? [op("="), old, op("−"), n(rate), grad] : [op(":"), old]);
  const to = () => op(plain ? "=" : "→");
  return formula(
    [letter("w", j), ...step("w", weights(before.w, out, inputs), weights(grad_w, out, inputs)), to(), weights(now.w, out, inputs)],
    [letter("b", j), ...step("b", column(before.b), column(grad_b)), to(), column(now.b)],
  );
}

/** A whole number. */
function n1(value) {
  return words(String(value));
}
