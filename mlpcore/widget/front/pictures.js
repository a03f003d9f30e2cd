/** What is drawn on canvases: the output over the plane with the points, the small pictures of units, the loss. */
import { classColour, css, h, mixed, num } from "./dom.js";

/** Of the colours of the plane, so that points stand out. */
const STRENGTH = 0.6;

/** How far an output is from the first colour (0) to the second (1). */
function level(value, [low, high]) {
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** The colour of outputs a, or of a y, of one sample: of one output by its value, of two by the second, else by the largest. */
function outputColour(outputs, scale, colours) {
  if (outputs.length <= 2) {
    const t = outputs.length === 1 ? level(outputs[0], scale) : level(outputs[1], [0, 1]);
    return t < 0.5 ? mixed(colours.paper, colours.first, 1 - 2 * t) : mixed(colours.paper, colours.second, 2 * t - 1);
  }
  const largest = outputs.indexOf(Math.max(...outputs));
  return mixed(colours.paper, classColour(largest), level(outputs[largest], [1 / outputs.length, 1]));
}

/** Fills a canvas of side x side pixels by the colour of each, a number of a palette. */
function fill(canvas, side, colourOf) {
  const context = canvas.getContext("2d");
  const pixels = new Uint32Array(side * side);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colourOf(i);
  context.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), side, side), 0, 0);
}

/** How many colours there are from one end of a palette to its middle. */
const HALF = 256;

/** From the first colour over that of paper to the second, as numbers whose bytes are red, green, blue and opacity. */
function palette({ first, second, paper }, strength) {
  const colour = (i) => mixed(paper, i < HALF ? first : second, (strength * Math.abs(i - HALF)) / HALF);
  return Uint32Array.from({ length: 2 * HALF + 1 }, (_, i) => packedColour(colour(i)));
}

function packedColour(rgb) {
  return new Uint32Array(Uint8Array.of(...rgb, 255).buffer)[0];
}

const palettes = new Map();

/** The palette of a theme, made once. */
function paletteOf(colours, strength) {
  const name = `${Object.values(colours).join(" ")} ${strength}`;
  if (!palettes.has(name)) palettes.set(name, palette(colours, strength));
  return palettes.get(name);
}

/** The picture of the output, with the points of the data; a click chooses the sample that is looked at. */
export class Boundary {
  /** @param {(row: number) => void} choose */
  constructor(choose) {
    this.grid = h("canvas.grid", { "aria-hidden": "true" });
    this.points = h("canvas.points", { role: "img" });
    this.element = h("div.boundary", { click: (event) => choose(this.nearest(event)) }, this.grid, this.points);
  }

  /** The data have changed, or the theme, or the size. */
  drawPoints(task, row, colours) {
    this.task = task;
    const size = 2 * (this.element.clientWidth || 300);
    Object.assign(this.points, { width: size, height: size });
    this.points.setAttribute("aria-label", `${task.n} samples and the output of the network at each point of the plane`);
    const context = this.points.getContext("2d");
    const radius = size / (task.n > 800 ? 200 : 130);
    for (let s = 0; s < task.n; s++) this.drawPoint(context, s, radius, colours, size);
    this.drawPoint(context, row, 2.2 * radius, colours, size, 2.5);
  }

  drawPoint(context, s, radius, colours, size, border = 1) {
    const [x, y] = this.place(s);
    const outputs = this.outputsOf(s);
    const strong = { ...colours, paper: mixed(colours.first, colours.second, 0.5) };
    context.beginPath();
    context.arc(x * size, y * size, radius, 0, 7);
    context.fillStyle = css(outputColour(outputs, this.task.scale, outputs.length > 2 ? colours : strong));
    context.strokeStyle = border > 1 ? css(colours.ink) : css(colours.paper);
    context.lineWidth = 2 * border;
    context.fill();
    context.stroke();
  }

  outputsOf(s) {
    const out = this.task.sizes.at(-1);
    return this.task.y.subarray(s * out, (s + 1) * out);
  }

  /** Where a sample is, in parts of the picture. */
  place(s) {
    const [[left, right], [bottom, top]] = this.task.ranges;
    const inputs = this.task.sizes[0];
    const x = this.task.x[s * inputs], y = this.task.x[s * inputs + 1];
    return [(x - left) / (right - left), (top - y) / (top - bottom)];
  }

  nearest({ clientX, clientY }) {
    const box = this.element.getBoundingClientRect();
    const x = (clientX - box.left) / box.width, y = (clientY - box.top) / box.height;
    let best = 0, least = Infinity;
    for (let s = 0; s < this.task.n; s++) {
      const [px, py] = this.place(s);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [s, distance];
    }
    return best;
  }

  drawGrid(grid, side, colours) {
    if (this.grid.width !== side) Object.assign(this.grid, { width: side, height: side });
    const out = this.task.sizes.at(-1);
    if (out > 2) {
      const colourOf = (i) => outputColour(grid.subarray(i * out, (i + 1) * out), this.task.scale, colours);
      fill(this.grid, side, (i) => packedColour(mixed(colours.paper, colourOf(i), STRENGTH)));
      return;
    }
    const table = paletteOf(colours, STRENGTH), scale = out === 2 ? [0, 1] : this.task.scale;
    fill(this.grid, side, (i) => table[Math.round(2 * HALF * level(grid[i * out + out - 1], scale))]);
  }
}

/** The small picture of unit i: its a over the plane, from -m to m where m is the largest |a| that is there. */
export function drawUnit(canvas, spread, side, i, units, colours) {
  if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
  let most = 1e-9;
  for (let p = i; p < spread.length; p += units) most = Math.max(most, Math.abs(spread[p]));
  const table = paletteOf(colours, 1);
  fill(canvas, side, (p) => table[Math.round(HALF + (HALF * spread[p * units + i]) / most)]);
}

/** The losses of the epochs, from 0 up. */
export class Curve {
  constructor() {
    this.canvas = h("canvas.curve", { role: "img" });
    this.element = h("figure", {}, this.canvas, h("figcaption", {}, "Loss of each epoch, the mean over its batches"));
  }

  /** @param {number[]} losses */
  draw(losses, colours) {
    const width = (this.canvas.width = 2 * (this.canvas.clientWidth || 300));
    const height = (this.canvas.height = 2 * (this.canvas.clientHeight || 110));
    const context = this.canvas.getContext("2d");
    const finite = losses.filter(Number.isFinite);
    const most = Math.max(...finite.slice(0, 20000), 1e-9);
    const last = losses.length ? num(losses.at(-1)) : "none yet";
    this.canvas.setAttribute("aria-label", `Losses of ${losses.length} epochs; the last: ${last}`);
    Object.assign(context, { font: "22px system-ui, sans-serif", fillStyle: css(colours.ink), lineWidth: 2 });
    context.strokeStyle = css(colours.line);
    context.strokeRect(1, 1, width - 2, height - 2);
    if (!finite.length) return;
    context.textAlign = "right";
    context.fillText(`${num(most)} at most, ${last} last, ${losses.length} epoch${losses.length === 1 ? "" : "s"}`, width - 12, 28);
    context.beginPath();
    const every = Math.max(1, Math.floor(losses.length / width));
    for (let i = 0; i < losses.length; i += every) {
      const x = losses.length > 1 ? (i / (losses.length - 1)) * (width - 16) + 8 : 8;
      context.lineTo(x, height - 8 - (Math.min(losses[i], most) / most) * (height - 48));
    }
    Object.assign(context, { strokeStyle: css(colours.second), lineWidth: 3 });
    context.stroke();
  }
}
