// Builds the pages named (default: both) into their dist/page and compresses what compresses; a page whose inputs have
// not changed is left alone. Each learns as BUILD_HASH what it was built from.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { writeIntegrity } from "./integrity.mjs";

const root = join(import.meta.dirname, "../..");
const named = process.argv.slice(2);
for (const app of named.length > 0 ? named : ["browser-client", "dashboard"]) await buildPage(join(root, "apps", app));

async function buildPage(folder) {
  const page = join(folder, "dist/page");
  const stamp = join(folder, "dist/inputs.sha256");
  const found = hashOf(folder);
  if (existsSync(join(page, "index.html")) && existsSync(stamp) && readFileSync(stamp, "utf8") === found) return;
  const { build } = await import("vite");
  const define = { BUILD_HASH: JSON.stringify(found.slice(0, 16)) };
  await build({ configFile: join(folder, "vite.config.mjs"), logLevel: "error", define });
  writeIntegrity(page);
  for (const path of files(page).filter((name) => /\.(js|css|html|svg|wasm)$/.test(name))) {
    const bytes = readFileSync(path);
    const level = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, level));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
  writeFileSync(stamp, found);
}

/** SHA-256 over all that a page is made of: its own files, those that pages share, every package, and the lock. */
function hashOf(folder) {
  const inputs = [
    ...["src", "docs"].flatMap((name) => files(join(folder, name))),
    ...["index.html", "vite.config.mjs", "package.json"].map((name) => join(folder, name)),
    ...files(import.meta.dirname),
    ...readdirSync(join(root, "packages")).flatMap((name) => files(join(root, "packages", name, "src"))),
    join(root, "package-lock.json"),
  ].sort();
  const hash = createHash("sha256");
  for (const path of inputs) hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
  return hash.digest("hex");
}

function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
