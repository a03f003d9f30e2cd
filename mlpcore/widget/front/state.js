/**
 * What a playground is doing as one line of text, read and written by the same rules as in mlpcore/widget/state.py:
 * `words.fields` says which names there are and which values each can have.
 */

/**
 * Reads a line; whatever it leaves out has its default.
 * @param {string} text such as "data=xor&layers=8,8&seed=1"
 * @param {object} words
 * @returns {object} a value for each field, and `text`, the whole line
 * @throws {Error} that says what is wrong
 */
export function parse(text, words) {
  const given = new Map(new URLSearchParams(words.defaults));
  const seen = new Set();
  for (const [name, value] of new URLSearchParams(text.replace(/^[#?]+/, ""))) {
    if (!given.has(name)) throw new Error(`state has ${name}, expected some of ${[...given.keys()].join(", ")}`);
    if (seen.has(name)) throw new Error(`state has ${name} twice, expected it once`);
    seen.add(name);
    given.set(name, value);
  }
  const state = Object.fromEntries(words.fields.map((field) => [field.name, valueOf(field, given.get(field.name), words)]));
  return { ...state, text: format(state, words) };
}

/** Writes a line. @param {object} state @param {object} words @returns {string} */
export function format(state, words) {
  return words.fields.map(({ name, kind }) => `${name}=${kind === "rates" ? ratesText(state[name]) : state[name]}`).join("&");
}

/** The learning rate of the batch after `steps` others. */
export function rateAt(state, steps) {
  return state.rate.findLast(([begin]) => begin <= steps)[1];
}

function ratesText(rates) {
  return rates.map(([begin, rate]) => (begin ? `${begin}:${rate}` : `${rate}`)).join(",");
}

function valueOf(field, text, words) {
  switch (field.kind) {
    case "choice":
      return oneOf(field, text);
    case "number":
      return oneOf(field, real(text));
    case "integer":
      return integer(field, text);
    case "integers":
      return integers(field, text);
    default:
      return rates(field, text, words);
  }
}

/** A number in plain digits; what is none is NaN. */
function real(text) {
  return /^[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?$/.test(text) ? Number(text) : NaN;
}

function oneOf(field, value) {
  if (!field.choices.includes(value)) throw new Error(`${field.name} is ${value}, expected one of ${field.choices.join(", ")}`);
  return value;
}

function integer(field, text) {
  const value = Number(text);
  if (!/^[0-9]{1,11}$/.test(text) || value < field.least || value > field.most) {
    throw new Error(`${field.name} is ${text}, expected a whole number from ${field.least} to ${field.most}`);
  }
  return value;
}

function integers(field, text) {
  const parts = text === "" ? [] : text.split(",");
  if (parts.length > field.longest) throw new Error(`${field.name} is ${text}, expected at most ${field.longest} numbers`);
  return parts.map((part) => integer(field, part));
}

function rates(field, text, words) {
  const steps = words.fields.find(({ name }) => name === "steps");
  const found = text.split(",").map((part) => {
    const [rate, begin] = part.split(":").reverse();
    return [begin === undefined ? 0 : integer(steps, begin), real(rate)];
  });
  const ascending = found.every(([begin], i) => (i ? begin > found[i - 1][0] : begin === 0));
  const inRange = found.every(([, rate]) => rate >= field.least && rate <= field.most);
  if (!ascending || !inRange) {
    throw new Error(`${field.name} is ${text}, expected a number from ${field.least} to ${field.most}, or several: 0.1,200:0.01`);
  }
  return found;
}
