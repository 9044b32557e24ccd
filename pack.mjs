// Packs the command and both libraries as tarballs that need nothing of this repository: each holds the workspace packages
// that it uses, already built; what others publish npm fetches as ever. Run after a build: npm run pack [FOLDER]
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

const root = import.meta.dirname;
const into = resolve(process.argv[2] ?? "packed");
const packed = ["@tributary/cli", "@tributary/node-client", "@tributary/browser-client"];

const workspaces = new Map(
  ["packages", "apps"]
    .flatMap((layer) => readdirSync(join(root, layer)).map((name) => join(root, layer, name)))
    .flatMap((folder) => {
      const manifest = readManifest(folder);
      return manifest === undefined ? [] : [[manifest.name, { folder, manifest }]];
    }),
);

mkdirSync(into, { recursive: true });
for (const name of packed) {
  const stage = mkdtempSync(join(tmpdir(), "tributary-pack-"));
  const inner = usedBy(name);
  const { dependencies, ...own } = manifestOf([name, ...inner]);
  const bundled = Object.fromEntries(inner.map((used) => [used, workspaces.get(used).manifest.version]));
  place(name, stage, { ...own, dependencies: { ...dependencies, ...bundled }, bundleDependencies: inner });
  for (const used of inner) place(used, join(stage, "node_modules", used), {});
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  const printed = execFileSync("npm", ["pack", "--silent", "--pack-destination", into], {
    cwd: stage,
    encoding: "utf8",
  });
  rmSync(stage, { recursive: true });
  console.log(join(into, basename(printed.trim())));
}

function readManifest(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  } catch (error) {
    // A folder of the workspace that is no package.
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The workspace packages that one needs, near or far. */
function usedBy(name) {
  const found = new Set();
  const visit = (from) => {
    for (const used of Object.keys(workspaces.get(from).manifest.dependencies ?? {})) {
      if (!workspaces.has(used) || found.has(used)) continue;
      found.add(used);
      visit(used);
    }
  };
  visit(name);
  return [...found].sort();
}

/** What these packages together need of others: the packages inside a tarball find it beside the one they came with. */
function manifestOf(names) {
  const all = { dependencies: {}, optionalDependencies: {}, peerDependencies: {}, peerDependenciesMeta: {} };
  for (const name of names) {
    for (const kind of Object.keys(all)) {
      for (const [used, range] of Object.entries(workspaces.get(name).manifest[kind] ?? {})) {
        if (workspaces.has(used)) continue;
        const before = all[kind][used];
        if (before !== undefined && JSON.stringify(before) !== JSON.stringify(range)) {
          throw new Error(`${name} wants ${used} ${range}, another package ${before}: give both the same range`);
        }
        all[kind][used] = range;
      }
    }
  }
  return all;
}

/** Copies what is built of a package; the sources, which only this repository's tools load, stay. */
function place(name, to, needs) {
  const { folder, manifest } = workspaces.get(name);
  const files = manifest.files.filter((file) => file !== "src" && file !== "library");
  for (const file of files) {
    cpSync(join(folder, file), join(to, file), {
      recursive: true,
      filter: (path) => !/\.(tsbuildinfo|map)$/.test(path),
    });
  }
  const { name: _, version, type, license, description, bin, engines } = manifest;
  const exports = Object.fromEntries(
    Object.entries(manifest.exports ?? {}).map(([path, target]) => {
      const { source: __, ...built } = typeof target === "string" ? { default: target } : target;
      return [path, built];
    }),
  );
  const written = { name, version, description, license, type, bin, engines, exports, files, ...needs };
  writeFileSync(join(to, "package.json"), `${JSON.stringify(written, undefined, 2)}\n`);
}
