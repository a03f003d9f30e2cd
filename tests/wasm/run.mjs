// run.mjs: runs a WebAssembly program for WASI with our standard input and output: node run.mjs PROGRAM ...
import { openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { argv, exit } from "node:process";
import { WASI } from "node:wasi";

// Opened anew: Node lets its own ends of pipes not block, and then a read or write of the program's fails.
const pipes = { stdin: openSync("/dev/stdin", "r"), stdout: openSync("/dev/stdout", "a") };
const wasi = new WASI({ version: "preview1", args: argv.slice(2), returnOnExit: true, ...pipes });
const program = await WebAssembly.instantiate(await readFile(argv[2]), wasi.getImportObject());
exit(wasi.start(program.instance));
