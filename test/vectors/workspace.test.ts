import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const launcher = join(root, "apps/cli/bin/tributary.js");

const workspaces = ["packages", "apps"].flatMap((folder) =>
  readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
);

function newest(folder: string, keep: (name: string) => boolean): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && keep(entry.name))
    .reduce((latest, entry) => Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}

test("what processes run is not older than the sources", () => {
  const stale = workspaces.filter((workspace) => {
    const sources = newest(join(workspace, "src"), (name) => /\.tsx?$/.test(name));
    return sources > newest(join(workspace, "dist"), () => true);
  });
  expect(stale, "npm run build, please").toEqual([]);
});

test("package-lock.json carries no registry address", () => {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  expect(lock).not.toMatch(/"resolved": "https?:/);
});

test("npx runs this command and no stranger's of the same name", () => {
  const { stdout, status } = spawnSync("npx", ["--no", "--", "tributary", "--version"], {
    cwd: root,
    encoding: "utf8",
  });
  const { version } = JSON.parse(readFileSync(join(root, "apps/cli/package.json"), "utf8")) as { version: string };
  expect([status, stdout.trim()]).toEqual([0, version]);
});

test("every command that the README shows exists, with the flags it shows", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const commands = [...readme.matchAll(/npx tributary ([^\n`]+)/g)].map((match) => match[1]!.split("#")[0]!.trim());
  expect(commands.length).toBeGreaterThan(8);
  const helps = new Map<string, string>();
  for (const command of commands) {
    const words = command.split(/\s+/);
    const nested = ["runs", "models", "clients"].includes(words[0]!);
    const name = words.slice(0, nested ? 2 : 1);
    const key = name.join(" ");
    if (!helps.has(key)) {
      const { stdout, status } = spawnSync(process.execPath, [launcher, ...name, "--help"], { encoding: "utf8" });
      expect(status, command).toBe(0);
      helps.set(key, stdout);
    }
    for (const flag of words.filter((word) => word.startsWith("--"))) expect(helps.get(key), command).toContain(flag);
  }
});
