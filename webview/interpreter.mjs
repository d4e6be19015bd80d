// Starts Python from what the page's boot block names: with the memory of having imported the program
// (py/voicepilot/bundle/memory.py), or plainly, which takes about twice as long, where that memory is not to be had.

const PATIENCE_MS = 5_000;
const MAGIC = "VPMEMORY";
const PREFIX_BYTES = 12;

/** The memory cannot be used; the message goes on from "the memory ". */
class Unfit extends Error {}

/** Fetches a file of the build, inflated if the build has packed it. */
const get = async (boot, path, type, options = {}) => {
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(`The page's server has no ${path} (${answer.status}).`);
  if (!boot.packed) return answer;
  const inflated = answer.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(inflated, { headers: { "content-type": type } });
};

const check = async (bytes, digest) => {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  if (`sha256-${btoa(String.fromCharCode(...found))}` !== digest) throw new Unfit("is damaged");
};

/** Fetches the memory, whole and of this build, or throws Unfit. `sound` then says whether each byte of it is right. */
const recall = async (boot) => {
  const { path, key, digest } = boot.memory;
  let bytes;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await get(boot, path, "application/octet-stream", { signal });
    bytes = new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    const late = error.name === "TimeoutError";
    throw new Unfit(late ? `did not arrive within ${PATIENCE_MS / 1000} s` : "could not be fetched", { cause: error });
  }
  const sound = check(bytes, digest);
  sound.catch(() => {});   // it is awaited when the memory is in its place
  const text = new TextDecoder();
  const start = bytes.length < PREFIX_BYTES ? Infinity : PREFIX_BYTES + new DataView(bytes.buffer).getUint32(8, true);
  if (text.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC || start > bytes.length) throw new Unfit("is damaged");
  let header;
  try {
    header = JSON.parse(text.decode(bytes.subarray(PREFIX_BYTES, start)));
  } catch (error) {
    throw new Unfit("is damaged", { cause: error });
  }
  if (header.key !== key) throw new Unfit("belongs to another build");
  const expected = header.runs.reduce((sum, [, length]) => sum + length, start);
  if (bytes.length < expected) throw new Unfit("is cut short");
  return { header, runs: bytes.subarray(start), sound };
};

/** Puts what is remembered in the place of what a new machine has in its memory. */
const implant = ({ header, runs }, machine) => {
  if (machine.length !== header.size) throw new Unfit("is of another size than the interpreter's");
  let from = 0;
  let end = header.own;
  for (const [offset, length] of header.runs) {
    machine.fill(0, end, offset);
    machine.set(runs.subarray(from, from + length), offset);
    from += length;
    end = offset + length;
  }
  machine.fill(0, end);
};

/** Implants what is sound; gives Pyodide's references, beside which nothing of what was fetched is needed then. */
const restore = async (remembered, machine) => {
  implant(remembered, machine);
  await remembered.sound;
  return remembered.header.references;
};

/** Runs `start`, during which Pyodide gets what it asks for from us: the `machine`, compiled, and the `archive`. */
const handingOut = async (boot, machine, archive, start) => {
  const given = new Map([
    [new URL(`${boot.runtime}pyodide.asm.wasm`, location).href, () => new Response()],
    [new URL(boot.archive, location).href, () => archive],
  ]);
  const { fetch } = globalThis;
  const { instantiateStreaming } = WebAssembly;
  globalThis.fetch = async (address, ...options) => given.get(String(address))?.() ?? fetch(address, ...options);
  WebAssembly.instantiateStreaming = async (_, imports) => {
    const module = await machine;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  try {
    return await start();
  } finally {
    globalThis.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
};

/** Runs loadPyodide with `archive`, or a promise of it, as the standard library. */
const load = async (boot, machine, archive, options) => {
  // Answers are looked at before Pyodide starts: without its files it would wait or break off in the middle.
  const [{ loadPyodide }, library] = await Promise.all([import("pyodide"), archive, machine.answered]);
  return handingOut(boot, machine.compiled, library, () => loadPyodide({
    ...options,
    indexURL: boot.runtime,
    stdLibURL: boot.archive,
    // No packages: neither Pyodide's lock file nor the CDN that it names is asked.
    lockFileContents: boot.lock,
    packageBaseUrl: boot.runtime,
  }));
};

/** Compiles the machine while it arrives, and while all else is fetched. */
const compile = (boot) => {
  const answered = get(boot, boot.machine, "application/wasm");
  const compiled = WebAssembly.compileStreaming(answered);
  compiled.catch(() => {});   // whoever waits for it is told
  return { answered, compiled };
};

const plainly = (boot, machine, wishes) =>
  load(boot, machine, get(boot, boot.archive, "application/zip"), wishes);

const fromMemory = async (boot, machine, wishes) => {
  let memory = recall(boot);
  memory.catch(() => {});   // it is awaited below, once the machine is there
  const python = await load(boot, machine, new Response(), {
    ...wishes,
    // Says that there is a memory. Pyodide's own form of it is three times as long; ours takes its place below.
    _loadSnapshot: new Uint8Array(),
    createPyodideModule: async (settings) => {
      const { default: create } = await import(`${boot.runtime}pyodide.asm.mjs`);
      // One after the other: a machine that comes when all is given up would ask the browser for its files.
      const running = await create(settings);
      const references = await restore(await memory, running.HEAPU8);
      memory = undefined;   // the functions here outlive the start; its ten megabytes need not
      settings.API.restoreSnapshot = () => references;
      return running;
    },
  });
  // The state of chance is remembered too, the same for everybody.
  const random = python.pyimport("random");
  random.seed();
  random.destroy();
  // What was not imported at build time is in the archive still. It must be the same file, and may come late.
  const complete = async () => {
    const library = await (await get(boot, boot.archive, "application/zip")).arrayBuffer();
    const [major, minor] = python._api.pyVersionTuple;
    python.FS.writeFile(`/lib/python${major}${minor}.zip`, new Uint8Array(library), { canOwn: true });
  };
  return { python, complete };
};

/**
 * Starts Python; `wishes` are further options of loadPyodide.
 *
 * Gives `python`; `without`, empty or why it was started without its memory ("is damaged"); and `complete`, to be
 * called when there is time: only then can modules be imported that the program has not imported.
 */
export const startPython = async (boot, wishes = {}) => {
  const machine = compile(boot);
  let without = "was not built";
  if (boot.memory) {
    try {
      return { ...await fromMemory(boot, machine, wishes), without: "" };
    } catch (error) {
      without = error instanceof Unfit ? error.message : "could not be put in place";
      console.info(`Python starts without its memory, which ${without}.`, error);
    }
  }
  return { python: await plainly(boot, machine, wishes), without, complete: async () => {} };
};
