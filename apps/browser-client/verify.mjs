// npm run verify:page -- WHERE [INTEGRITY.json]: whether the page in a folder or at an address is the one that the list
// describes (by default: the one that this repository builds). Prints the build's hash; exits with 1 where a file differs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../pages/integrity.mjs";

const [where, list = join(import.meta.dirname, "dist/page/integrity.json")] = process.argv.slice(2);
if (where === undefined) {
  console.error("usage: npm run verify:page -- FOLDER|URL [INTEGRITY.json]");
  process.exit(2);
}
const remote = /^https?:/.test(where);
const base = remote ? `${where.replace(/\/*$/, "")}/` : where;

async function served(name) {
  if (!remote) return readFileSync(join(base, name));
  const response = await fetch(new URL(name === "index.html" ? "" : name, base));
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

const expected = readFileSync(list);
const faults = [];
const compare = async (name, hash) => {
  try {
    const found = sha256(await served(name));
    if (found !== hash) faults.push(`${name} is ${found}; expected ${hash}`);
  } catch (error) {
    faults.push(`${name} cannot be read: ${error.message}`);
  }
};
await compare("integrity.json", sha256(expected));
for (const [name, hash] of Object.entries(JSON.parse(expected))) await compare(name, hash);

for (const fault of faults) console.error(fault);
console.log(
  `build ${sha256(expected)}: ${faults.length === 0 ? "every file is as listed" : `${faults.length} differ`}`,
);
process.exit(faults.length === 0 ? 0 : 1);
