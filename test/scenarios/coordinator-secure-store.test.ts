import crypto from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { clientHalfNamed } from "@tributary/catalog";
import { isOver, type ModelRecord, routes } from "@tributary/protocol";
import { expect, onTestFinished, test } from "vitest";
import { base64Core } from "../support/canary.ts";
import { startCoordinatorProcess } from "../support/cli-process.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { dataFolder } from "../support/data-folder.ts";
import { tinyDevices } from "../support/federation-devices.ts";
import { recordingProxy } from "../support/recording-proxy.ts";
import { specOf } from "../support/specs.ts";

/** Everything of 32 bytes that this process draws at random from now on: its devices' keys, seeds and coefficients. */
function drawn(): readonly Buffer[] {
  const all: Buffer[] = [];
  const { randomBytes } = crypto;
  crypto.randomBytes = ((size: number) => {
    const bytes = randomBytes(size);
    if (size >= 32) all.push(Buffer.from(bytes.subarray(0, 32)));
    return bytes;
  }) as typeof randomBytes;
  syncBuiltinESMExports();
  onTestFinished(() => {
    crypto.randomBytes = randomBytes;
    syncBuiltinESMExports();
  });
  return all;
}

const written = (secret: Buffer) => [
  secret,
  Buffer.from(secret.toString("hex")),
  ...([0, 1, 2] as const).map((before) => Buffer.from(base64Core(secret, before))),
];

async function filesIn(folder: string): Promise<{ name: string; bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(paths.map(async (name) => ({ name, bytes: await readFile(name) })));
}

test("of a secure run the coordinator keeps its models: no masked sum, and no secret in its folder or its log", async () => {
  const folder = await dataFolder();
  const coordinator = await startCoordinatorProcess(folder, "--port", "0", "--log-level", "debug");
  const { url } = coordinator;
  const proxy = await recordingProxy(url);
  const secrets = drawn();
  const spec = specOf({
    cohort: { size: 4, minimum: 3, overSelect: 1 },
    secureAggregation: "required",
    secure: { weightCap: 16 },
    evaluation: { on: "clients" },
    deadlines: { joinMs: 8_000 },
    stop: { rounds: 1 },
  });
  const { run } = await createRun(url, spec);
  tinyDevices(proxy.url, ["ann", "ben", "cem"], { run });
  // One deals its shares and leaves: the others' shares rebuild its key.
  const half = { ...clientHalfNamed("fedavg"), work: () => new Promise<never>(() => undefined) };
  const leaver = tinyDevices(proxy.url, ["dee"], { run, clientHalf: () => half });
  await leaver.events.next(({ event }) => event.type === "sent" && event.hint.step === 1);
  await leaver.handle.leave();
  expect(await runThat(url, run, ({ phase }) => isOver(phase))).toMatchObject({ phase: "finished", round: 1 });
  const { body: models } = await call<ModelRecord[]>(url, `GET ${routes.models(run)}`);
  coordinator.process.kill("SIGTERM");
  const { stdout, stderr } = await coordinator.finished;

  // Each version's weights, and the server's state beside them, which is the same for all: there is no momentum.
  const blobs = await readdir(join(folder, "blobs"));
  expect(models).toHaveLength(2);
  expect(blobs).toEqual(expect.arrayContaining(models.map(({ sha256 }) => sha256)));
  expect(blobs.length).toBeLessThanOrEqual(2 * models.length);
  expect(await filesIn(join(folder, "spool"))).toEqual([]);

  // A challenge is drawn to be sent; what is sent is no secret.
  const paths = proxy.captured.flatMap((one) => (one.kind === "request" ? [decodeURIComponent(one.path)] : [])).join();
  const kept = secrets.filter((secret) => !paths.includes(secret.toString("base64")));
  expect(kept.length).toBeGreaterThan(4 * 3);
  const places = [...(await filesIn(folder)), { name: "the log", bytes: Buffer.from(stdout + stderr) }];
  for (const { name, bytes } of places) {
    const found = kept.filter((secret) => written(secret).some((form) => bytes.includes(form)));
    expect({ name, found: found.length }).toEqual({ name, found: 0 });
  }
});
