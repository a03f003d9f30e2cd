/** The playground as a widget of Jupyter (anywidget): the engine is the kernel, asked by messages. */
import { App } from "./app.js";

const TYPES = { float32: Float32Array, float64: Float64Array };

/** Asks a `Session` in the kernel (mlpcore/widget/session.py). */
class KernelEngine {
  /** @param {object} model of anywidget */
  constructor(model) {
    Object.assign(this, { model, waiting: new Map(), last: 0, name: Math.random().toString(36).slice(2), ahead: 2 });
    this.receive = (content, buffers) => this.answer(content, buffers);
    model.on("msg:custom", this.receive);
  }

  /** @param {{do: string}} message @returns {Promise<object>} */
  ask(message) {
    const id = `${this.name} ${++this.last}`; // several views may ask
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.model.send({ id, message });
    });
  }

  answer({ id, answer }, buffers) {
    const asked = this.waiting.get(id);
    if (!asked) return;
    this.waiting.delete(id);
    if (answer.error) asked.reject(new Error(answer.error));
    else asked.resolve(unpacked(answer, buffers));
  }

  stop() {
    this.model.off("msg:custom", this.receive);
  }
}

/** Puts arrays in the places that name them. */
function unpacked(value, buffers) {
  if (Array.isArray(value)) return value.map((each) => unpacked(each, buffers));
  if (value === null || typeof value !== "object") return value;
  if (value.dtype) {
    const { buffer, byteOffset, byteLength } = buffers[value.array];
    return new TYPES[value.dtype](buffer.slice(byteOffset, byteOffset + byteLength));
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpacked(each, buffers)]));
}

/** @param {{model: object, el: HTMLElement}} context of anywidget */
function render({ model, el }) {
  const engine = new KernelEngine(model);
  const app = new App(engine, el, () => {});
  const changed = (content) => content.event === "changed" && app.act(() => app.resume());
  model.on("msg:custom", changed);
  app.act(() => app.resume());
  return () => {
    app.stop();
    model.off("msg:custom", changed);
    engine.stop();
  };
}

export default { render };
