/** The buttons, the settings and the line of numbers above the picture. */
import { h, num } from "./dom.js";

const SPEEDS = [["1", "1 batch"], ["10", "10 batches"], ["epoch", "1 epoch"]];

/** What a change of each setting does, for the tooltip. */
const AGAIN = "A change begins again from the first weights";

export class Controls {
  /**
   * @param {Record<string, () => void>} actions by name: run, batch, epoch, equation, rewind
   * @param {(changes: object) => void} change of settings
   */
  constructor(actions, change) {
    this.change = change;
    this.run = this.button("▶ Run", actions.run, "Train until you press it again");
    this.speed = this.select(SPEEDS, "Batches that are trained on for each picture");
    this.speed.value = "10";
    this.buttons = h("div.buttons", { role: "toolbar", "aria-label": "Training" },
      this.run,
      this.button("Equation", actions.equation, "One equation of the next batch"),
      this.button("Batch", actions.batch, "One batch, or the rest of it"),
      this.button("Epoch", actions.epoch, "To the end of the epoch"),
      this.button("Rewind", actions.rewind, "Back to the first weights"),
      h("label", {}, "per picture", this.speed));
    this.status = h("p.status", { role: "status" });
    this.settings = h("div.settings", { role: "group", "aria-label": "Settings" });
    this.message = h("p.message", { role: "alert", hidden: true });
  }

  button(text, click, title) {
    return h("button", { type: "button", click, title }, text);
  }

  select(options, title, change = () => {}) {
    return h("select", { title, change }, ...options.map(([value, text]) => h("option", { value }, text)));
  }

  /** A new network: settings with its values. @param {object} task @param {object} state */
  build(task, state) {
    const fields = Object.fromEntries(task.words.fields.map((field) => [field.name, field]));
    const choice = (name, texts = {}, choices = fields[name].choices) => this.setting(name, texts[name] ?? name,
      this.select(choices.map((each) => [each, String(each).replace("-", ", loss ")]), AGAIN, ({ target }) => this.change({ [name]: typeof choices[0] === "number" ? Number(target.value) : target.value })), state[name]);
    const number = (name, text, most) => this.setting(name, text, h("input", {
      type: "number", min: fields[name].least, max: most ?? fields[name].most, step: name === "rate" ? "any" : 1,
      title: name === "rate" ? "From the next batch on" : AGAIN, change: ({ target }) => this.change({ [name]: target.value }),
    }), name === "rate" ? state.rate.at(-1)[1] : state[name]);
    const own = (names) => names.filter((each) => each !== "given" || task.given);
    const layers = this.setting("layers", "hidden layers", this.select([0, 1, 2, 3, 4, 5, 6].map((each) => [each, each]), AGAIN,
      ({ target }) => this.change({ layers: resized(state.layers, Number(target.value)) })), state.layers.length);
    this.settings.replaceChildren(
      choice("data", {}, own(fields.data.choices)), ...(state.data === "given" ? [] : [choice("noise")]), layers,
      choice("activation"), choice("output"), ...(task.given ? [choice("start", { start: "first weights" })] : []),
      choice("optimizer"), number("rate", "learning rate"), number("batch", "batch size", task.n), number("seed", "seed"));
  }

  setting(name, text, control, value) {
    control.value = String(value);
    control.name = name;
    return h("label", {}, h("span", {}, text), control);
  }

  /** How far it is. @param {object} task @param {object} frame @param {boolean} running */
  show(task, frame, running) {
    this.run.textContent = running ? "❚❚ Pause" : "▶ Run";
    this.run.setAttribute("aria-pressed", running);
    this.status.setAttribute("aria-live", running ? "off" : "polite");
    const epoch = Math.floor(frame.steps / task.batches), batch = frame.steps % task.batches;
    const accuracy = Number.isFinite(frame.accuracy ?? NaN) ? [statusPart("accuracy", `${(100 * frame.accuracy).toFixed(1)} %`)] : [];
    this.status.replaceChildren(statusPart("epoch", epoch), statusPart("batch", `${batch} of ${task.batches}`), statusPart("loss", num(frame.loss)), ...accuracy);
  }

  /** A refusal, or nothing. @param {string} text */
  tell(text) {
    this.message.textContent = text;
    this.message.hidden = !text;
  }

  /** How many batches a picture takes. */
  perPicture(task) {
    return this.speed.value === "epoch" ? task.batches : Number(this.speed.value);
  }
}

function statusPart(name, value) {
  return h("span", {}, `${name} `, h("b", {}, `${value}`));
}

/** Hidden layers of another number. */
function resized(layers, count) {
  return Array.from({ length: count }, (_, j) => layers[j] ?? layers.at(-1) ?? 4);
}
