import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { type ModelRecord, type RoundRecord, type RunRecord, routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { startCli, startCoordinatorProcess } from "../support/cli-process.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { digestHeader, HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { dataFolder } from "../support/data-folder.ts";
import { specOf } from "../support/specs.ts";

const digits = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };
/** Logistic regression on digits: a round takes two devices a fraction of a second. */
const spec = (changes: Record<string, unknown> = {}) => ({
  ...specOf({ cohort: { size: 2, minimum: 2, overSelect: 1 }, stop: { rounds: 6 } }),
  data: digits,
  ...changes,
});

const join = (url: string, run: string, shard: string, ...args: string[]) =>
  startCli(["join", "--json", "--coordinator", url, "--run", run, "--examples", "400", "--shard", shard, ...args]);

interface Committed {
  readonly record: RunRecord;
  readonly rounds: readonly RoundRecord[];
  readonly models: readonly ModelRecord[];
}

/** Everything that REST shows as committed, each model's bytes checked against its hash. */
async function committed(url: string, run: string): Promise<Committed> {
  const { body: record } = await call<RunRecord>(url, `GET ${routes.run(run)}`);
  const { body: rounds } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
  const { body: models } = await call<ModelRecord[]>(url, `GET ${routes.models(run)}`);
  // A round that is committed between the answers makes them tell of different times.
  const { body: later } = await call<RunRecord>(url, `GET ${routes.run(run)}`);
  if (later.round !== record.round) return committed(url, run);
  for (const { version, sha256 } of models) {
    const { body: bytes } = await call<Uint8Array>(url, `GET ${routes.modelWeights(run, version)}`);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
  }
  expect(rounds.map(({ round }) => round)).toEqual(Array.from({ length: record.round }, (_, i) => i + 1));
  expect(models.map(({ version }) => version)).toEqual(Array.from({ length: record.round + 1 }, (_, i) => i));
  return { record, rounds, models };
}

test("A1, A6: after kill -9, while devices train and between rounds, they come back and the run goes on", async () => {
  const folder = await dataFolder();
  let coordinator = await startCoordinatorProcess(folder, "--port", "0");
  const { url } = coordinator;
  const { run } = await createRun(url, spec({ algorithm: { name: "fedavg", learningRate: 0.1, epochs: 4 } }));
  const device = join(url, run, "1-2/2");

  // While a device trains.
  await device.line("training", ({ hint }) => (hint as { round: number }).round === 2);
  const before = await committed(url, run);
  coordinator.process.kill("SIGKILL");
  await coordinator.finished;
  coordinator = await startCoordinatorProcess(folder, "--port", new URL(url).port);
  const after = await committed(url, run);
  expect(after.rounds.slice(0, before.rounds.length)).toEqual(before.rounds);
  expect(after.models.slice(0, before.models.length)).toEqual(before.models);
  await runThat(url, run, ({ round }) => round >= 3);

  // The moment a commit is known: the next attempt has hardly begun.
  const between = await committed(url, run);
  coordinator.process.kill("SIGKILL");
  await coordinator.finished;
  coordinator = await startCoordinatorProcess(folder, "--port", new URL(url).port);
  const finished = await runThat(url, run, ({ phase }) => phase === "finished" || phase === "failed");
  expect(finished).toMatchObject({ phase: "finished", reason: "all 6 rounds done", round: 6 });
  const { rounds } = await committed(url, run);
  expect(rounds.slice(0, between.rounds.length)).toEqual(between.rounds);
  for (const { survivors, dropped } of rounds) expect([survivors.length, dropped.length]).toEqual([2, 0]);
  // No identity was lost over two deaths: two devices, as at the beginning.
  const { body: clients } = await call<{ contributions: number }[]>(url, `GET ${routes.clients()}`);
  expect(clients.map(({ contributions }) => contributions)).toEqual([6, 6]);
  expect(await device.finished).toMatchObject({ code: 0 });
});

test("A1: an attempt that kill -9 cut short is void; its successor has another number, and old answers are refused", async () => {
  const folder = await dataFolder();
  const first = await startCoordinatorProcess(folder, "--port", "0");
  const { run } = await createRun(first.url, specOf({ cohort: { size: 2, minimum: 2, overSelect: 1 } }));
  const alice = await HandDevice.joined(first.url, run, { name: "alice" });
  const bob = await HandDevice.joined(first.url, run, { name: "bob" });
  const before = await alice.asked();
  expect((await alice.answer(before, tinyUpdate(100))).status).toBe(200);
  first.process.kill("SIGKILL");
  await alice.closed();
  await first.finished;
  const { url } = await startCoordinatorProcess(folder, "--port", new URL(first.url).port);
  expect((await call<RunRecord>(url, `GET ${routes.run(run)}`)).body).toMatchObject({ phase: "gathering", round: 0 });
  const heard = alice.heard.entries.length;
  for (const device of [alice, bob]) {
    await device.connect();
    await device.offer(run);
  }
  const again = (await alice.heard.next(({ event }) => event === "ask", heard)).payload as typeof before;
  expect(again).toMatchObject({ round: before.round, attempt: before.attempt + 1 });
  expect(await bob.answer(before, tinyUpdate(100))).toMatchObject({ status: 410, body: { code: "phase_closed" } });
  expect((await alice.answer(again, tinyUpdate(1))).body).toMatchObject({ duplicate: false });
  await bob.answer(again, tinyUpdate(3));
  await runThat(url, run, ({ round }) => round === 1);
  const weights = async (version: number) =>
    new Float32Array((await call<Uint8Array>(url, `GET ${routes.modelWeights(run, version)}`)).body.slice().buffer);
  expect((await weights(1))[0]! - (await weights(0))[0]!).toBeCloseTo(2, 5);
});

test("A7: SIGTERM ends a coordinator with devices at work in seconds, code 0, nothing committed lost", async () => {
  const folder = await dataFolder();
  const first = await startCoordinatorProcess(folder, "--port", "0");
  const { run } = await createRun(first.url, spec({ stop: { rounds: 1000 } }));
  const devices = join(first.url, run, "1-2/2");
  await runThat(first.url, run, ({ round }) => round >= 2);
  const before = await committed(first.url, run);
  const asked = performance.now();
  first.process.kill("SIGTERM");
  const { code, stderr } = await first.finished;
  expect(code).toBe(0);
  expect(performance.now() - asked).toBeLessThan(10_000);
  expect(stderr).not.toMatch(/"level":[56]0/);
  await devices.line("disconnected");
  const second = await startCoordinatorProcess(folder, "--port", new URL(first.url).port);
  const after = await committed(second.url, run);
  expect(after.rounds.slice(0, before.rounds.length)).toEqual(before.rounds);
  expect(after.models.slice(0, before.models.length)).toEqual(before.models);
});

test("A7: SIGTERM does not wait for a client that dawdles over its upload", async () => {
  const folder = await dataFolder();
  const { url, process: coordinator, finished } = await startCoordinatorProcess(folder, "--port", "0");
  const { run } = await createRun(url, specOf({ cohort: { size: 1, minimum: 1, overSelect: 1 } }));
  const device = await HandDevice.joined(url, run);
  const hint = await device.asked();
  const frame = tinyUpdate(1);
  const { hostname, port } = new URL(url);
  const slow = connect(Number(port), hostname);
  const head = [
    `PUT ${routes.answer(hint, device.client)} HTTP/1.1`,
    `host: ${hostname}`,
    `authorization: Bearer ${device.token}`,
    "content-type: application/octet-stream",
    `content-length: ${frame.length}`,
    `content-digest: ${digestHeader(frame)}`,
  ];
  slow.on("error", () => undefined);
  slow.write(`${head.join("\r\n")}\r\n\r\n`);
  slow.write(frame.subarray(0, 10));
  await call(url, "GET /healthz");
  const asked = performance.now();
  coordinator.kill("SIGTERM");
  await once(slow, "close");
  expect(await finished).toMatchObject({ code: 0 });
  expect(performance.now() - asked).toBeLessThan(10_000);
});

test("A8: a second coordinator on one data folder ends with 2 and names the first; the first is not disturbed", async () => {
  const folder = await dataFolder();
  const first = await startCoordinatorProcess(folder, "--port", "0");
  const second = await startCli(["coordinator", "--data-folder", folder, "--port", "0"]).finished;
  expect(second.code).toBe(2);
  expect(second.stderr).toContain(`is in use by process ${first.process.pid}; stop it, or name another folder`);
  expect(second.stdout).toBe("");
  expect((await call(first.url, "GET /readyz")).status).toBe(200);
  await createRun(first.url, specOf());
});
