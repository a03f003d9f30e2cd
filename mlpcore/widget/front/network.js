/** The picture of the network: units as buttons with small pictures, weights as lines that can be pointed at. */
import { css, h, num, svg } from "./dom.js";
import { drawUnit } from "./pictures.js";

const LINE_MOST = 7;

export class NetworkPicture {
  /**
   * @param {(what: {kind: "unit"|"weight", j: number, i: number, k?: number}|null) => void} point is told what is
   *   pointed at: unit i of layer j, where layer 0 is the input, or weight w_{i,k} of layer j
   */
  constructor(point) {
    this.point = point;
    this.lines = svg("svg.lines", { "aria-hidden": "true", preserveAspectRatio: "none" });
    this.heads = h("div.heads");
    this.body = h("div.body", { keydown: (event) => this.move(event) }, this.lines);
    this.element = h("div.network", { role: "group", "aria-label": "The network" }, this.heads, this.body);
    this.element.addEventListener("mouseleave", () => point(null));
  }

  /** A new network. @param {object} task @param {(j: number, change: number) => void} resize of hidden layer j */
  build(task, resize) {
    this.task = task;
    const most = Math.max(...task.sizes);
    this.body.style.height = `${Math.max(250, most * (most > 9 ? 34 : 44))}px`;
    this.heads.replaceChildren(...task.sizes.map((units, j) => this.head(units, j, resize)));
    this.units = task.sizes.map((units, j) => Array.from({ length: units }, (_, i) => this.unit(j, i)));
    this.weights = task.sizes.slice(1).map((units, j) => this.linesOf(j + 1, units, task.sizes[j]));
    this.lines.setAttribute("viewBox", "0 0 1000 1000");
    this.lines.replaceChildren(...this.weights.flat().flatMap(({ line, target }) => [line, target]));
    this.body.replaceChildren(this.lines, ...this.units.flat().map(({ button }) => button));
    this.units[0][0].button.tabIndex = 0;
  }

  head(units, j, resize) {
    const last = this.task.sizes.length - 1;
    const name = j === 0 ? "input" : j === last ? "output" : `layer ${j}`;
    const sigma = j === 0 ? "x = a⁰" : this.task.activations[j - 1];
    const step = (sign, change) => h("button", {
      type: "button", click: () => resize(j, change), "aria-label": `${change > 0 ? "one unit more in" : "one unit less in"} ${name}`,
    }, sign);
    const buttons = j > 0 && j < last ? [h("span.steps", {}, step("−", -1), `${units}`, step("+", 1))] : [`${units}`];
    return h("div", {}, h("b", {}, name), h("span", {}, sigma), ...buttons);
  }

  at(j, i) {
    return [(j + 0.5) / this.task.sizes.length, (i + 0.5) / this.task.sizes[j]];
  }

  unit(j, i) {
    const [x, y] = this.at(j, i);
    const canvas = h("canvas");
    const value = h("span.value");
    const what = { kind: "unit", j, i };
    const button = h("button.unit", {
      type: "button", tabindex: "-1", style: `left: ${100 * x}%; top: ${100 * y}%`,
      mouseenter: () => this.point(what), focus: () => this.focused(j, i), click: () => this.point(what),
    }, j ? canvas : h("span.name", {}, `x${subscript(i + 1)}`), value);
    return { button, canvas, value };
  }

  focused(j, i) {
    this.units.flat().forEach(({ button }) => (button.tabIndex = -1));
    this.units[j][i].button.tabIndex = 0;
    this.point({ kind: "unit", j, i });
  }

  /** Arrow keys go from unit to unit. */
  move(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const j = this.units.findIndex((layer) => layer.some(({ button }) => button === document.activeElement || button.matches(":focus")));
    if (!steps || j < 0) return;
    event.preventDefault();
    const i = this.units[j].findIndex(({ button }) => button.matches(":focus"));
    const to = Math.min(this.units.length - 1, Math.max(0, j + steps[0]));
    const units = this.units[to].length;
    this.units[to][Math.min(units - 1, Math.max(0, i + steps[1]))].button.focus();
  }

  /** Weights of layer j, as they lie: w_{i,k} is number k * units + i. */
  linesOf(j, units, inputs) {
    return Array.from({ length: inputs * units }, (_, at) => {
      const k = Math.floor(at / units), i = at % units;
      const [x1, y1] = this.at(j - 1, k).map((part) => 1000 * part), [x2, y2] = this.at(j, i).map((part) => 1000 * part);
      const middle = (x1 + x2) / 2;
      const d = `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
      const what = { kind: "weight", j, i, k };
      const line = svg("path.line", { d });
      const target = svg("path.target", { d, mouseenter: () => this.point(what) });
      return { line, target };
    });
  }

  /** Numbers have changed. @param {object} frame @param {number} side of the small pictures */
  draw(frame, side, colours) {
    const first = css(colours.first), second = css(colours.second);
    frame.layers.forEach(({ w, spread }, j) => {
      this.weights[j].forEach(({ line }, at) => {
        set(line, "stroke", w[at] < 0 ? first : second);
        set(line, "stroke-width", Math.min(LINE_MOST, 0.4 + 1.8 * Math.abs(w[at])).toFixed(1));
      });
      const units = this.units[j + 1];
      units.forEach(({ canvas }, i) => drawUnit(canvas, spread, side, i, units.length, colours));
    });
  }

  /**
   * Writes a number at each unit.
   * @param {(j: number, i: number) => [string, number]|null} valueOf its symbol and value
   * @param {{j: number, kind: string}|null} current the layer that is computed
   */
  label(valueOf, current) {
    this.units.forEach((layer, j) => layer.forEach(({ button, value }, i) => {
      const found = valueOf(j, i);
      button.classList.toggle("current", current !== null && current.j === j);
      const text = found ? `${found[0]} ${num(found[1])}` : "";
      if (button.dataset.text === text) return;
      button.dataset.text = text;
      value.textContent = found ? num(found[1]) : "";
      const name = j ? `unit ${i + 1} of layer ${j}` : `input ${i + 1}`;
      button.setAttribute("aria-label", found ? `${name}: ${found[0]} is ${num(found[1])}` : name);
    }));
    this.weights.forEach((layer, j) => layer.forEach(({ line }) => {
      line.classList.toggle("current", current !== null && current.weights === j + 1);
    }));
  }

  /** Marks what is pointed at. */
  mark(what) {
    this.marked?.classList.remove("marked");
    this.marked = null;
    if (what?.kind === "unit") this.marked = this.units[what.j]?.[what.i]?.button;
    if (what?.kind === "weight") this.marked = this.weights[what.j - 1]?.[what.k * this.task.sizes[what.j] + what.i]?.line;
    this.marked?.classList.add("marked");
  }
}

/** Sets an attribute that is another one than before. */
function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function subscript(number) {
  return String(number).replace(/[0-9]/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
}
