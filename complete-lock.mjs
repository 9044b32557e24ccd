// Completes package-lock.json with the optional packages of other platforms. A registry mirror that carries only this
// platform's builds makes `npm install` leave the others out, and `npm ci` then refuses the lock. Run it after every
// `npm install` that changed the lock: npm run lock.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];

/** The platform that a package's name tells of, or undefined. */
function platformOf(name) {
  const words = name.replace(/^@[^/]+\//, "").split(/[-/]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (words.some((word) => word.startsWith("wasm"))) return { cpu: ["wasm32"] };
  if (os === undefined || cpu === undefined) return undefined;
  const libc = words.some((word) => word.startsWith("musl"))
    ? ["musl"]
    : words.some((word) => word.startsWith("gnu"))
      ? ["glibc"]
      : undefined;
  return { cpu: [cpu], os: [os], ...(libc === undefined ? {} : { libc }) };
}

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`;
    const hoisted = `node_modules/${name}`;
    if (lock.packages[nested] !== undefined || lock.packages[hoisted] !== undefined) continue;
    const platform = platformOf(name);
    if (platform === undefined || !/^\d/.test(range)) {
      console.error(
        `left out: ${name}@${range} (of ${path || "the root"}): no platform in its name, or no exact version`,
      );
      continue;
    }
    lock.packages[hoisted] = { version: range, optional: true, ...(entry.dev ? { dev: true } : {}), ...platform };
    added += 1;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a === "" ? -1 : b === "" ? 1 : a.localeCompare(b, "en"))),
);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} packages of other platforms added to package-lock.json`);
