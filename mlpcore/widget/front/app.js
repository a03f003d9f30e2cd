/**
 * The playground: puts controls, pictures and equations together around an engine, which has all numbers. Nothing of the
 * network is computed here.
 */
import { Controls } from "./controls.js";
import { detailsOf } from "./details.js";
import { h, num, themeColours } from "./dom.js";
import { equationsOf, mathOf, sentenceOf, titleOf } from "./equations.js";
import { NetworkPicture } from "./network.js";
import { Boundary, Curve } from "./pictures.js";
import { format, parse, rateAt } from "./state.js";

const MOST_BATCHES = 1000;

export class App {
  /**
   * @param {{ask: (message: object) => Promise<object>, ahead?: number}} engine ahead: how many pictures it is asked for
   *   before the first has come
   * @param {HTMLElement} root
   * @param {(text: string) => void} tell is told the state whenever it has changed and nothing runs
   */
  constructor(engine, root, tell) {
    Object.assign(this, { engine, root, tell, row: 0, losses: [], shown: 0, pointed: null, running: false, pictures: 0 });
    this.queue = Promise.resolve();
    this.controls = new Controls({
      run: () => this.toggle(), batch: () => this.act(() => this.toBatch()), epoch: () => this.act(() => this.toEpoch()),
      equation: () => this.act(() => this.nextEquation()), rewind: () => this.act(() => this.begin(this.stateText({ steps: 0, equation: 0 }))),
    }, (changes) => this.act(() => this.changed(changes)));
    this.network = new NetworkPicture((what) => this.point(what));
    this.boundary = new Boundary((row) => this.act(() => this.look(row)));
    this.curve = new Curve();
    this.equation = h("section.equation", { "aria-live": "polite", "aria-label": "Equation" });
    this.details = h("section.details", { "aria-live": "polite", "aria-label": "What is pointed at" });
    this.legend = h("p.legend");
    this.build();
    this.watchTheme();
  }

  build() {
    const { controls, network, boundary, curve, equation, details, legend } = this;
    const outputs = h("div.outputs", {}, h("b", {}, "Output over the plane"), boundary.element, legend, curve.element);
    this.root.classList.add("mlp-playground");
    this.root.replaceChildren(h("div.bar", {}, controls.buttons, controls.status), controls.message, controls.settings,
      h("div.main", {}, h("div.left", {}, network.element, h("p.legend", {}, "Lines: weights, blue above 0, orange below, the wider the larger. Pictures: a of the unit over the plane, likewise."), equation, details), h("div.right", {}, outputs)));
  }

  watchTheme() {
    const again = () => this.frame && this.redraw();
    const system = matchMedia("(prefers-color-scheme: dark)"), page = new MutationObserver(again);
    system.addEventListener("change", again);
    page.observe(document.body, { attributes: true });
    this.watches = [() => system.removeEventListener("change", again), () => page.disconnect()];
  }

  /** Ends training, and lets go of the page. */
  stop() {
    this.running = false;
    this.watches.forEach((end) => end());
  }

  // ---- one thing after the other

  /** Does something when all before it is done; what the engine refuses is shown. */
  act(work) {
    this.running = false;
    this.queue = this.queue.then(work).then(() => this.settled(), (error) => this.refused(error));
    return this.queue;
  }

  settled() {
    this.controls.tell("");
    this.showStatus();
    this.tell(this.stateText());
  }

  refused(error) {
    this.running = false;
    this.showStatus();
    this.controls.tell(error.message);
    if (this.task) this.controls.build(this.task, this.state);
  }

  /** The state as text, with changes. */
  stateText(changes = {}) {
    const equation = this.shown < (this.list?.length ?? 0) ? this.shown : 0;
    return format({ ...this.state, steps: this.frame?.steps ?? 0, equation, ...changes }, this.task.words);
  }

  // ---- a network

  /** A new network, trained as far as the state says. @param {string} text */
  async begin(text) {
    const task = await this.engine.ask({ do: "start", state: text });
    const wanted = parse(text, task.words);
    this.take(task);
    while (this.frame.steps < wanted.steps) {
      await this.train(Math.min(MOST_BATCHES, wanted.steps - this.frame.steps));
      this.showStatus();
    }
    for (let i = 0; i < wanted.equation; i++) await this.nextEquation();
    await this.look(this.row);
  }

  /** Goes on with the network that the engine has. */
  async resume() {
    const task = await this.engine.ask({ do: "resume" });
    this.take(task);
    if (task.phase === "forward") await this.engine.ask({ do: "backward" });
    if (task.phase !== "update") this.keep(await this.engine.ask({ do: "update" }));
    await this.look(this.row);
  }

  /** @param {object} task what the engine says of a network */
  take(task) {
    this.task = task;
    this.state = parse(task.state, task.words);
    task.optimizer = this.state.optimizer;
    task.words.plain = Object.keys(task.words.optimizers)[0]; // w -= rate grad, of which the numbers are shown
    Object.assign(this, { list: equationsOf(task), shown: 0, losses: [...task.losses], row: Math.min(this.row, task.n - 1) });
    Object.assign(this, { pointed: null, batch: null, sample: null });
    this.controls.build(task, this.state);
    this.network.build(task, (j, change) => this.act(() => this.resize(j, change)));
    this.frame = task;
    this.redraw();
  }

  async changed(changes) {
    if ("rate" in changes) {
      const { rate } = await this.engine.ask({ do: "rate", rate: Number(changes.rate) });
      this.state.rate = rate;
      return;
    }
    const given = "layers" in changes || "activation" in changes || "output" in changes || changes.data ? { start: "seed" } : {};
    const rate = [[0, rateAt(this.state, Infinity)]];
    await this.begin(this.stateText({ steps: 0, equation: 0, rate, ...given, ...changes }));
  }

  async resize(j, change) {
    const field = this.task.words.fields.find(({ name }) => name === "layers");
    const units = Math.min(field.most, Math.max(field.least, this.state.layers[j - 1] + change));
    await this.changed({ layers: this.state.layers.with(j - 1, units) });
  }

  // ---- training

  toggle() {
    if (this.running) return this.act(() => {});
    return this.act(() => this.finishBatch()).then(() => this.runOn());
  }

  /** Trains and draws until somebody wants something else. */
  runOn() {
    this.running = true;
    this.showStatus();
    this.queue = this.queue.then(async () => {
      const ahead = [];
      while (this.running && this.frame.steps < this.mostSteps()) {
        while (ahead.length < (this.engine.ahead ?? 1)) ahead.push(this.askFor(this.controls.perPicture(this.task)));
        this.keep(await ahead.shift());
        this.draw();
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      for (const answer of ahead) this.keep(await answer);
      this.running = false;
      this.draw();
    }).then(() => this.settled(), (error) => this.refused(error));
  }

  mostSteps() {
    return this.task.words.fields.find(({ name }) => name === "steps").most - MOST_BATCHES;
  }

  askFor(batches) {
    return this.engine.ask({ do: "train", batches, row: this.row });
  }

  async train(batches) {
    this.keep(await this.askFor(batches));
  }

  /** Takes numbers that the engine has sent. */
  keep(frame) {
    this.frame = frame;
    this.losses.push(...frame.losses);
    if (frame.look) this.sample = { ...frame.look, weights: frame.layers };
    this.batch = null;
    this.shown = 0;
  }

  async toBatch() {
    if (!(await this.finishBatch())) await this.train(1);
    this.draw();
  }

  async toEpoch() {
    await this.finishBatch();
    for (let left = this.task.batches - (this.frame.steps % this.task.batches); left > 0; left -= MOST_BATCHES) {
      await this.train(Math.min(MOST_BATCHES, left));
    }
    this.draw();
  }

  /** Ends a batch whose equations were being shown. @returns {Promise<boolean>} whether there was one */
  async finishBatch() {
    if (this.shown === 0 || this.shown === this.list.length) return false;
    const rest = this.list.slice(this.shown).filter(({ call }) => call);
    let answer = this.frame;
    for (const { call } of rest) answer = await this.engine.ask({ do: call, ...(call === "update" ? { row: this.row } : {}) });
    if (rest.length) this.keep(answer);
    else Object.assign(this, { shown: 0, batch: null });
    return true;
  }

  /** Shows the next equation, for which the engine computes what is not there yet. */
  async nextEquation() {
    if (this.shown === this.list.length) Object.assign(this, { shown: 0, batch: null });
    const { call } = this.list[this.shown];
    if (call === "update") await this.updateShown();
    else if (call) this.batch = { ...(await this.engine.ask({ do: call })), weights: this.frame.layers };
    this.shown += 1;
    this.draw();
  }

  async updateShown() {
    const { shown, batch } = this;
    this.keep(await this.engine.ask({ do: "update", row: this.row }));
    Object.assign(this, { shown, batch });
  }

  // ---- looking

  /** Looks at a sample. */
  async look(row) {
    this.row = row;
    const look = await this.engine.ask({ do: "look", row });
    this.sample = { ...look, weights: this.frame.layers };
    this.redraw();
  }

  point(what) {
    this.pointed = what ?? this.pointed;
    this.network.mark(what);
    this.showDetails();
  }

  /** The batch whose equations are shown, else the sample that is looked at. */
  view() {
    return this.shown > 0 && this.batch ? this.batch : this.sample;
  }

  // ---- drawing

  redraw() {
    this.colours = themeColours(this.root);
    Object.assign(this, { drawnLosses: -1, ringed: -1 });
    this.draw();
  }

  /** The points, with a ring around the sample whose numbers are shown. */
  drawPoints() {
    const row = this.view()?.row ?? this.row;
    if (row !== this.ringed) this.boundary.drawPoints(this.task, row, this.colours);
    this.ringed = row;
  }

  draw() {
    const { words } = this.task;
    this.drawPoints();
    this.boundary.drawGrid(this.frame.grid, words.grid, this.colours);
    this.network.draw(this.frame, words.spread, this.colours);
    if (this.drawnLosses !== this.losses.length) this.curve.draw(this.losses, this.colours);
    this.drawnLosses = this.losses.length;
    this.showStatus();
    this.showLabels();
    if (!this.running) this.showEquation();
    this.showDetails();
    this.root.dataset.pictures = ++this.pictures;
  }

  showStatus() {
    if (!this.task) return;
    this.controls.show(this.task, this.frame, this.running);
    const [low, high] = this.task.scale, out = this.task.sizes.at(-1);
    this.legend.textContent = out > 2 ? `A colour for each of ${out} classes.`
      : `Orange: ${out === 2 ? "class 0" : num(low)}. Blue: ${out === 2 ? "class 1" : num(high)}. A click chooses a sample.`;
  }

  /** What stands at each unit: a of the sample; while equations are shown, what was computed last. */
  showLabels() {
    const view = this.view(), current = this.shown > 0 && this.batch ? this.list[this.shown - 1] : null;
    const done = this.list.slice(0, this.shown);
    const has = (kind, j) => done.some((each) => each.kind === kind && each.j === j);
    this.network.label((j, i) => {
      if (!view) return null;
      if (j === 0) return ["x", view.layers[0].x[i]];
      if (!current) return ["a", view.layers[j - 1].a[i]];
      const kind = ["phi", "a", "z"].find((each) => has(each, j));
      return kind ? [kind, view.layers[j - 1][kind][i]] : null;
    }, current && { j: current.kind === "loss" ? -1 : current.j, weights: ["z", "grad_w", "update"].includes(current.kind) ? current.j : current.kind === "phi" ? current.j + 1 : 0 });
  }

  showEquation() {
    const { task, batch, shown } = this;
    if (!batch || shown === 0) {
      this.equation.replaceChildren(h("p", {}, "“Equation” shows the next batch equation by equation, with its numbers: forward, the loss, equations 1 to 4, the step of the weights."));
      return;
    }
    const equation = this.list[shown - 1];
    const steps = this.frame.steps - (equation.kind === "update" ? 1 : 0);
    const math = mathOf(equation, task, batch, this.frame.layers, rateAt(this.state, steps));
    this.equation.replaceChildren(h("h3", {}, titleOf(equation, task), h("small", {}, ` ${shown} of ${this.list.length}`)),
      h("p", {}, sentenceOf(equation, task, batch)), h("div.scroll", { tabindex: 0 }, math));
  }

  showDetails() {
    const view = this.view();
    if (!this.pointed || !view) {
      this.details.replaceChildren(h("p", {}, "Point at a weight for its equation 3, at a unit for its z, a and φ; with the keyboard, go to the units by Tab and on by the arrow keys."));
      return;
    }
    this.details.replaceChildren(...detailsOf(this.pointed, this.task, view));
  }
}
