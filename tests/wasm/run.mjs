// Runs a WASI program under Node, on this process's own standard input and output: node run.mjs PROGRAM ARGUMENTS
import { openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const args = process.argv.slice(2);
// Opened anew, since Node makes its own ends of pipes non-blocking: the program's reads and writes would fail on them.
const pipes = { stdin: openSync("/dev/stdin", "r"), stdout: openSync("/dev/stdout", "a") };
const wasi = new WASI({ version: "preview1", args, returnOnExit: true, ...pipes });
const { instance } = await WebAssembly.instantiate(await readFile(args[0]), wasi.getImportObject());
process.exit(wasi.start(instance));
