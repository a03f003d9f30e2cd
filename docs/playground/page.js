/** The page without Python: the engine is the C core as WebAssembly, the state is the page's address. */
import { App } from "./app.js";
import { WasmEngine, instantiate } from "./wasm_engine.js";

const embedded = (name) => JSON.parse(document.getElementById(name).textContent);

/** Makes bytes of text. @param {string} base64 */
function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

async function main() {
  const core = await instantiate(bytesOf(embedded("wasm")));
  const engine = new WasmEngine(core, embedded("words"), embedded("points"));
  const app = new App(engine, document.getElementById("playground"), (text) => history.replaceState(null, "", `#${text}`));
  const go = async () => {
    await app.act(() => app.begin(decodeURIComponent(location.hash.slice(1))));
    if (app.task) return;
    const refusal = app.controls.message.textContent;
    await app.act(() => app.begin("")); // something to look at
    app.controls.tell(refusal);
  };
  addEventListener("hashchange", go);
  addEventListener("resize", () => app.frame && app.redraw());
  document.getElementById("playground").app = app; // for tests and the curious
  await go();
}

main();
