// Builds the page into dist/page and compresses what compresses; does nothing when no input has changed.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = import.meta.dirname;
const root = join(here, "../..");
const page = join(here, "dist/page");
const stamp = join(here, "dist/inputs.sha256");

const inputs = [
  ...["src", "docs"].flatMap((name) => files(join(here, name))),
  ...files(join(root, "packages/protocol/src")),
  ...["index.html", "vite.config.mjs", "build.mjs", "package.json"].map((name) => join(here, name)),
  join(root, "package-lock.json"),
].sort();
const hash = createHash("sha256");
for (const path of inputs) hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
const found = hash.digest("hex");

if (!existsSync(join(page, "index.html")) || !existsSync(stamp) || readFileSync(stamp, "utf8") !== found) {
  const { build } = await import("vite");
  await build({ configFile: join(here, "vite.config.mjs"), logLevel: "error" });
  for (const path of files(page).filter((name) => /\.(js|css|html|svg|wasm)$/.test(name))) {
    const bytes = readFileSync(path);
    const level = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, level));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
  writeFileSync(stamp, found);
}

function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
