// Bundles the extension into one file, and writes the licences of what went into it.

import { readFile, readdir, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const { metafile } = await build({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  minify: true,
  sourcemap: false,
  legalComments: "none",
  metafile: true,
});

const packages = new Set(Object.keys(metafile.inputs).flatMap((file) =>
  /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));
const notices = [];
for (const name of [...packages].sort()) {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf-8"));
  const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} ships without its licence`);
  notices.push({ name, version, license, text: await readFile(`${folder}/${file}`, "utf-8") });
}
await writeFile("dist/notices.json", JSON.stringify(notices, null, 1));
