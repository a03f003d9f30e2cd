/**
 * The engine of the page: the C core compiled to WebAssembly (csrc/wasm/playground.c). It answers the messages that
 * mlpcore/widget/session.py answers in a notebook, with the same numbers.
 */
import { parse, rateAt } from "./state.js";

const VIEWS = { batch: 0, sample: 1, grid: 2 };
const ARRAYS = { x: 0, z: 1, a: 2, dsigma: 3, grad_a: 4, phi: 5, grad_w: 6, grad_b: 7, w: 8, b: 9 };
const FORWARD = ["x", "z", "a"];
const BACKWARD = [...FORWARD, "dsigma", "grad_a", "phi", "grad_w", "grad_b"];

/** Starts the module. @param {BufferSource} bytes @returns {Promise<object>} what it exports */
export async function instantiate(bytes) {
  // The core asks for the time where work can be interrupted, which nothing here can.
  const imports = { wasi_snapshot_preview1: { clock_time_get: () => 0 } };
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  instance.exports._initialize();
  return instance.exports;
}

export class WasmEngine {
  /**
   * @param {object} core what the module exports
   * @param {object} words of mlpcore/widget/words.py
   * @param {object} points by "name noise": x, a flat array of coordinates, and classes
   */
  constructor(core, words, points) {
    Object.assign(this, { core, words, points, network: 0, rooms: [] });
  }

  /** Answers a message. @param {{do: string}} message @returns {Promise<object>} */
  async ask(message) {
    return this[message.do](message);
  }

  // ---- memory

  /** Copies numbers into the module's memory, until the next start. @returns {number} where they lie */
  put(numbers) {
    const place = this.core.room_new(numbers.byteLength);
    if (!place) throw new Error("the network does not fit into the memory of this page");
    new numbers.constructor(this.core.memory.buffer, place, numbers.length).set(numbers);
    this.rooms.push(place);
    return place;
  }

  /** A copy of numbers in the module's memory, whose buffer is another one whenever it has grown. */
  get(Type, place, count) {
    return new Type(this.core.memory.buffer, place, count).slice();
  }

  // ---- messages

  start({ state: text }) {
    const state = parse(text, this.words);
    const data = this.points[`${state.data} ${state.noise}`];
    if (!data || state.start !== "seed") throw new Error("this page has no data or weights of yours: choose some of its own");
    this.release();
    const [sigma, loss] = this.words.outputs[state.output];
    const out = this.words.activations[sigma].row ? 2 : 1;
    Object.assign(this, { state, data, sizes: [2, ...state.layers, out], n: data.classes.length, steps: 0 });
    this.create(sigma, loss);
    this.makeRoom();
    return { ...this.described(sigma, loss), ...this.frame({}) };
  }

  create(sigma, loss) {
    const { core, words, state, sizes } = this;
    const rows = sizes.slice(1).flatMap((units, j) => {
      const activation = words.activations[j === sizes.length - 2 ? sigma : state.activation];
      return [units, activation.id, words.initializers[activation.initializer].id];
    });
    this.network = core.network_new(2, sizes.length - 1, this.put(Int32Array.from(rows)), state.seed);
    this.x = Float32Array.from(this.data.x);
    this.y = targets(this.data.classes, sizes.at(-1), this.words.lowest[sigma] ?? 0);
    const batch = Math.min(state.batch, this.n);
    const room = this.network && core.network_train_on(
      this.network, this.n, this.put(this.x), this.put(this.y), words.losses[loss].id,
      words.optimizers[state.optimizer].id, rateAt(state, 0), batch);
    if (!room) throw new Error("the network does not fit into the memory of this page");
    this.batches = Math.ceil(this.n / batch);
  }

  makeRoom() {
    const { grid, spread, limit } = this.words;
    const out = this.sizes.at(-1);
    this.number = this.put(new Float64Array(1));
    this.losses = this.put(new Float64Array(1000));
    this.gridPoints = this.put(lattice(grid, limit));
    this.spreadPoints = this.put(lattice(spread, limit));
    this.gridOutput = this.put(new Float32Array(grid * grid * out));
  }

  described(sigma, loss) {
    const { words, state, sizes, n, batches, x } = this;
    const activations = sizes.slice(1).map((_, j) => (j === sizes.length - 2 ? sigma : state.activation));
    const range = [-words.limit, words.limit];
    return { words, state: state.text, sizes, activations, loss_name: loss, n, batches, x, y: this.y,
             ranges: [range, range], scale: [words.lowest[sigma] ?? 0, 1], given: false, phase: "update" };
  }

  train({ batches, ...look }) {
    const losses = [];
    for (let left = batches; left > 0;) {
      const here = Math.min(left, 1000, this.untilNextRate());
      this.core.network_set_rate(this.network, rateAt(this.state, this.steps));
      const epochs = this.core.network_train(this.network, here, this.losses);
      losses.push(...this.get(Float64Array, this.losses, epochs));
      this.steps += here;
      left -= here;
    }
    return this.frame({ ...look, losses });
  }

  untilNextRate() {
    const later = this.state.rate.map(([begin]) => begin).filter((begin) => begin > this.steps);
    return later.length ? later[0] - this.steps : Infinity;
  }

  /** The learning rate from the next batch on. */
  rate({ rate }) {
    const kept = this.state.rate.filter(([begin]) => begin < this.steps);
    this.state.rate = [...kept, [this.steps, rate]];
    return { rate: this.state.rate };
  }

  forward() {
    this.rows = this.core.network_forward(this.network);
    return { ...this.view("batch", FORWARD), row: this.core.network_row(this.network, 0), n: this.rows };
  }

  backward() {
    this.loss = this.core.network_backward(this.network);
    this.core.network_factors(this.network, VIEWS.batch);
    const row = this.core.network_row(this.network, 0);
    return { ...this.view("batch", BACKWARD), row, n: this.rows, loss: this.loss };
  }

  update(look) {
    this.core.network_set_rate(this.network, rateAt(this.state, this.steps));
    const ended = this.core.network_update(this.network, this.loss, this.losses);
    this.steps += 1;
    return this.frame({ ...look, losses: ended ? [...this.get(Float64Array, this.losses, 1)] : [] });
  }

  /** Everything that is drawn: what `row` asks for is one sample by itself. */
  frame({ row, losses = [] }) {
    const { core, network, words, sizes } = this;
    core.network_predict(network, words.grid ** 2, this.gridOutput, this.gridPoints);
    const loss = core.network_evaluate(network, this.number);
    core.network_spread(network, words.spread ** 2, this.spreadPoints);
    const layers = sizes.slice(1).map((units, j) => ({
      w: this.array("grid", j, "w", units * sizes[j]),
      b: this.array("grid", j, "b", units),
      spread: this.array("grid", j, "a", units * words.spread ** 2),
    }));
    const grid = this.get(Float32Array, this.gridOutput, words.grid ** 2 * sizes.at(-1));
    const [accuracy] = this.get(Float64Array, this.number, 1);
    const looked = row === undefined ? {} : { look: this.look({ row }) };
    return { steps: this.steps, losses, loss, accuracy, layers, grid, ...looked };
  }

  look({ row }) {
    const loss = this.core.network_look(this.network, row);
    return { ...this.view("sample", BACKWARD), row, n: 1, loss };
  }

  /** All parameters, as they lie. */
  params() {
    const { core, network } = this;
    return { params: this.get(Float32Array, core.network_params(network), core.network_parameters(network)) };
  }

  // ---- arrays

  array(view, j, name, count) {
    const place = this.core.network_array(this.network, VIEWS[view], j, ARRAYS[name]);
    return this.get(Float32Array, place, count);
  }

  /** The first row of a view, layer by layer. */
  view(view, names) {
    const layers = this.sizes.slice(1).map((out, j) => {
      const inputs = this.sizes[j];
      const counts = { x: inputs, grad_w: inputs * out };
      return Object.fromEntries(names.map((name) => [name, this.array(view, j, name, counts[name] ?? out)]));
    });
    const y = this.get(Float32Array, this.core.network_y(this.network, VIEWS[view]), this.sizes.at(-1));
    return { layers, y };
  }

  release() {
    if (this.network) this.core.network_free(this.network);
    this.rooms.forEach((place) => this.core.room_free(place));
    Object.assign(this, { network: 0, rooms: [] });
  }
}

/** y of each sample: an output for each class, or one that is 1 for the second class. */
function targets(classes, outputs, lowest) {
  if (outputs === 2) return Float32Array.from(classes.flatMap((c) => (c ? [0, 1] : [1, 0])));
  return Float32Array.from(classes, (c) => c || lowest);
}

/** side x side points of the plane, row by row from the top left. */
function lattice(side, limit) {
  const along = (i) => limit * ((2 * i + 1) / side - 1);
  const points = [];
  for (let i = 0; i < side * side; i++) points.push(along(i % side), -along(Math.floor(i / side)));
  return Float32Array.from(points);
}
