import { execFile, execFileSync } from "node:child_process";
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunRecord } from "@tributary/protocol";
import { expect, onTestFinished } from "vitest";
import { createRun, runThat } from "../support/coordinator-calls.ts";
import { sharedCoordinator } from "../support/coordinator-local.ts";
import { missingTime, testThatNeeds } from "../support/needs.ts";
import { specOf } from "../support/specs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const coordinator = sharedCoordinator();
const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 2 } };
const digits = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tributary-box-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

// Fetches the published dependencies from npm, or its cache.
testThatNeeds(
  missingTime,
  "what npm run pack makes installs into an empty folder and joins, as command, as library and as a page's library",
  async () => {
    const [tarballs, box] = [await emptyFolder(), await emptyFolder()];
    execFileSync(process.execPath, [join(root, "pack.mjs"), tarballs]);
    const names = await readdir(tarballs);
    expect(names.map((name) => name.replace(/-\d.*$/, "")).sort()).toEqual([
      ...["tributary-browser-client", "tributary-cli", "tributary-node-client"],
    ]);
    const files = names.map((name) => join(tarballs, name));
    execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...files], { cwd: box });
    const run = async (spec: Parameters<typeof specOf>[0]) =>
      (await createRun(coordinator.url, specOf({ ...alone, ...spec }))).run;
    const { url } = coordinator;
    // Without the flags of the test runner, which would have it load sources.
    const options = { cwd: box, env: { ...process.env, NODE_OPTIONS: "" } };
    const asCommand = await run({ data: digits });
    const tributary = join(box, "node_modules/.bin/tributary");
    await promisify(execFile)(tributary, ["join", "--coordinator", url, "--run", asCommand, "--threads", "2"], options);

    await copyFile(join(root, "examples/node-client.mjs"), join(box, "device.mjs"));
    const asLibrary = await run({});
    await promisify(execFile)(process.execPath, ["device.mjs", url, asLibrary], options);

    await copyFile(join(root, "examples/browser-client.mjs"), join(box, "page.mjs"));
    const inPage = await run({});
    const takePart = `await (await import("./page.mjs")).takePart("${url}", "${inPage}");`;
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", takePart], options);

    const over = ({ phase }: RunRecord) => phase === "finished";
    for (const done of [asCommand, asLibrary, inPage]) {
      expect(await runThat(url, done, over)).toMatchObject({ reason: "all 2 rounds done" });
    }
  },
  300_000,
);
