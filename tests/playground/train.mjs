// Trains in WebAssembly what states describe, and prints for each the bytes of its parameters: node train.mjs BUILD STATE...
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [build, ...states] = process.argv.slice(2);
const { WasmEngine, instantiate, parse } = await import(pathToFileURL(`${build}/engine.mjs`));
const read = async (name) => JSON.parse(await readFile(`${build}/${name}`, "utf-8"));
const core = await instantiate(await readFile(`${build}/playground.wasm`));
const engine = new WasmEngine(core, await read("words.json"), await read("points.json"));
for (const text of states) {
  const state = parse(text, engine.words);
  await engine.ask({ do: "start", state: text });
  const { losses, loss, accuracy } = await engine.ask({ do: "train", batches: state.steps });
  const { params } = await engine.ask({ do: "params" });
  const hex = Buffer.from(params.buffer).toString("hex");
  console.log(JSON.stringify({ state: state.text, params: hex, losses, loss, accuracy }));
}
