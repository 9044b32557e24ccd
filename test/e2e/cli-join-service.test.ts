import type { ClientRecord, RoundRecord, RunRecord } from "@tributary/protocol";
import { routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { cli, startCli } from "../support/cli-process.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { sharedCoordinator } from "../support/coordinator-local.ts";
import { specOf } from "../support/specs.ts";

const coordinator = sharedCoordinator();
const digits = { kind: "images", shape: [28, 28, 1], classes: 10 };
const join = (...args: string[]) =>
  startCli(["join", "--json", "--coordinator", coordinator.url, "--examples", "60", "--engine", "wasm", ...args]);

test("SIGTERM in the middle of training ends a device at once, cleanly, and the coordinator knows", async () => {
  const algorithm = { name: "fedavg", epochs: 10_000, batchSize: 10, learningRate: 0.01 };
  const { run } = await createRun(
    coordinator.url,
    specOf({ data: digits, model: { preset: "2nn" }, algorithm, cohort: { size: 1, minimum: 1, overSelect: 1 } }),
  );
  const device = join("--run", run);
  const training = await device.line("training", ({ progress }) => progress !== undefined);
  expect(training["pace"]).toMatchObject({ examplesPerSecond: expect.any(Number), remainingMs: expect.any(Number) });
  const { client } = (await device.line("connected")) as unknown as { client: string };
  device.process.kill("SIGTERM");
  const { code, stderr, lines } = await device.finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines.at(-1)).toMatchObject({ type: "left" });
  const { body } = await call<ClientRecord[]>(coordinator.url, `GET ${routes.clients()}`);
  const capabilities = { platform: `Node ${process.versions.node} on ${process.platform} ${process.arch}` };
  const found = body.find((record) => record.client === client);
  expect(found).toMatchObject({ connected: false, capabilities });
  expect(found?.capabilities?.processors).toBeGreaterThan(0);
  expect(found?.capabilities?.memoryBytes).toBeGreaterThan(2 ** 20);
});

test("the devices of one process train on threads of their own", async () => {
  const { run } = await createRun(
    coordinator.url,
    specOf({ data: digits, cohort: { size: 3, minimum: 3, overSelect: 1 }, stop: { rounds: 2 } }),
  );
  const { code, stderr, lines } = await join("--run", run, "--threads", "2", "--shard", "1-3/3").finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines.filter(({ type }) => type === "trained")).toHaveLength(6);
  const over = ({ phase }: RunRecord) => phase === "finished";
  expect(await runThat(coordinator.url, run, over)).toMatchObject({ reason: "all 2 rounds done" });
  const { body } = await call<RoundRecord[]>(coordinator.url, `GET ${routes.rounds(run)}`);
  expect(body.map(({ survivors }) => survivors.length)).toEqual([3, 3]);
});

test("outside its hours a device waits, says until when, and ends when it is told to", async () => {
  const hour = (later: number) => `${(new Date().getHours() + later) % 24}`.padStart(2, "0");
  const schedule = `${hour(2)}:00-${hour(3)}:00`;
  const device = join("--schedule", schedule);
  const { reason } = await device.line("waiting");
  expect(reason).toBe(`outside its hours (${schedule}); back at ${hour(2)}:00`);
  device.process.kill("SIGTERM");
  expect(await device.finished).toMatchObject({ code: 0, stderr: "" });
});

test("a process that holds more memory than it may does not join, and says how much it holds", async () => {
  const { code, stderr, lines } = await join("--max-memory", "10MB").finished;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^tributary: this process holds \d+ MB of memory, its cap is 10 MB; raise the cap, [^\n]*\n$/);
  expect(lines).toEqual([]);
});

test.each([
  [["--schedule", "8-9"], /schedule: expected two different times such as 22:00-06:00, found "8-9"/],
  [["--threads", "0"], /--threads.*It must be an integer from 1 to 256/],
  [["--max-memory", "lots"], /--max-memory.*It must be an amount such as 2GB or 512MiB/],
])("join %o is used wrongly", async (args, message) => {
  const { code, stderr } = await cli("join", "--examples", "10", ...args);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
