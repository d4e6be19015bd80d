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

/** Fetches the memory and makes sure that it is whole and of this build; Unfit if it is not. */
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
  const found = crypto.subtle.digest("SHA-256", bytes);
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
  if (`sha256-${btoa(String.fromCharCode(...new Uint8Array(await found)))}` !== digest) throw new Unfit("is damaged");
  return { header, runs: bytes.subarray(start) };
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
  return header.references;
};

/** Runs `start`, during which a fetch of one of these addresses gets what its entry gives. */
const handingOut = async (entries, start) => {
  const given = new Map(entries.map(([path, give]) => [new URL(path, location).href, give]));
  const ask = globalThis.fetch;
  globalThis.fetch = (address, ...options) => given.get(String(address))?.() ?? ask(address, ...options);
  try {
    return await start();
  } finally {
    globalThis.fetch = ask;
  }
};

/** Runs loadPyodide with what `library` gives as the standard library. */
const load = async (boot, library, options) => {
  // Answers are looked at before Pyodide starts: without its files it would wait or break off in the middle.
  const [{ loadPyodide }, machine, archive] =
    await Promise.all([import("pyodide"), get(boot, boot.machine, "application/wasm"), library]);
  const entries = [[`${boot.runtime}pyodide.asm.wasm`, async () => machine], [boot.archive, async () => archive]];
  return handingOut(entries, () => loadPyodide({
    ...options,
    indexURL: boot.runtime,
    stdLibURL: boot.archive,
    // No packages: neither Pyodide's lock file nor the CDN that it names is asked.
    lockFileContents: boot.lock,
    packageBaseUrl: boot.runtime,
  }));
};

const plainly = (boot, wishes) => load(boot, get(boot, boot.archive, "application/zip"), wishes);

const fromMemory = async (boot, wishes) => {
  const memory = recall(boot);
  memory.catch(() => {});   // it is awaited below, once the machine is there
  const python = await load(boot, new Response(), {
    ...wishes,
    // Pyodide's own form of this, a third of a second's worth of zeros longer, is replaced on the way.
    _loadSnapshot: new Uint8Array(),
    createPyodideModule: async (settings) => {
      const { default: create } = await import(`${boot.runtime}pyodide.asm.mjs`);
      const [machine, remembered] = await Promise.all([create(settings), memory]);
      settings.API.restoreSnapshot = () => implant(remembered, machine.HEAPU8);
      return machine;
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
  let without = "was not built";
  if (boot.memory) {
    try {
      return { ...await fromMemory(boot, wishes), without: "" };
    } catch (error) {
      without = error instanceof Unfit ? error.message : "could not be put in place";
      console.info(`Python starts without its memory, which ${without}.`, error);
    }
  }
  return { python: await plainly(boot, wishes), without, complete: async () => {} };
};
