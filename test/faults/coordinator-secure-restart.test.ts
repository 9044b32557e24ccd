import type { Contribution } from "@tributary/algorithm";
import { clientHalfNamed } from "@tributary/catalog";
import { type RoundRecord, type RunId, type RunRecord, routes } from "@tributary/protocol";
import { contributorsTo } from "@tributary/round";
import { expect, test } from "vitest";
import { startCoordinatorProcess } from "../support/cli-process.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { dataFolder } from "../support/data-folder.ts";
import { type TestDevices, tinyDevices } from "../support/federation-devices.ts";
import { Log } from "../support/participant-log.ts";
import { recordingProxy } from "../support/recording-proxy.ts";
import { specOf } from "../support/specs.ts";

const names = ["ann", "ben", "cem", "dee"];
const over = ({ phase }: RunRecord) => phase === "finished" || phase === "failed";

/** One secure round of four devices of 16 examples each, which earn the full weight; three shares open the sum. */
const spec = (unmaskMs = 60_000) =>
  specOf({
    cohort: { size: 4, minimum: 3, overSelect: 1 },
    secureAggregation: "required",
    secure: { weightCap: 16 },
    deadlines: { unmaskMs },
    stop: { rounds: 1 },
  });

/** Four devices behind a proxy, in an attempt whose `step` has two answers in and two on their way. */
async function stuckIn(step: number, unmaskMs?: number) {
  const folder = await dataFolder();
  const coordinator = await startCoordinatorProcess(folder, "--port", "0");
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = new Set<string>();
  const proxy = await recordingProxy(coordinator.url, ({ method, path }) => {
    if (method !== "PUT" || !path.includes(`/attempts/1/steps/${step}/`)) return undefined;
    if (first.size < 2) first.add(path);
    // An answer that was too early is sent again.
    return first.has(path) ? undefined : released;
  });
  const { run } = await createRun(coordinator.url, spec(unmaskMs));
  const contributions: Contribution[] = [];
  const half = clientHalfNamed("fedavg");
  const recorded = {
    ...half,
    async work(input: Parameters<typeof half.work>[0]) {
      const worked = await half.work(input);
      contributions.push(worked.contribution);
      return worked;
    },
  };
  const devices = names.map((name) => tinyDevices(proxy.url, [name], { run, clientHalf: () => recorded }));
  const answered = await firstTwo(devices, step);
  const restart = async () => {
    coordinator.process.kill("SIGKILL");
    await coordinator.finished;
    await startCoordinatorProcess(folder, "--port", new URL(coordinator.url).port);
    release();
  };
  return { url: coordinator.url, run, devices, contributions, answered, restart };
}

/** The two devices whose answer to `step` is in first. */
async function firstTwo(devices: readonly TestDevices[], step: number): Promise<readonly TestDevices[]> {
  const sent = new Log<TestDevices>();
  for (const device of devices) {
    const first = device.events.next(({ event }) => event.type === "sent" && event.hint.step === step);
    void first.then(() => sent.add(device));
  }
  await sent.next(() => sent.entries.length === 2);
  return [...sent.entries];
}

test.each([
  ["keys", 0],
  ["shares", 1],
  ["masked vectors", 2],
  ["consistency tags", 3],
  ["unmasking", 4],
])("after kill -9 among the %s, the exact sum of everyone, and nobody trains twice", async (_, step) => {
  const { url, run, contributions, restart } = await stuckIn(step);
  await restart();
  expect(await runThat(url, run, over)).toMatchObject({ phase: "finished", round: 1 });

  const { body: rounds } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
  // Once survivors are fixed only their attempt can go on; before, another one begins with fresh keys.
  expect(rounds).toMatchObject([{ attempt: step === 4 ? 1 : 2 }]);
  // Three devices' shares are enough to open the sum, in which the fourth's update is all the same.
  expect(contributorsTo(rounds[0]!)).toHaveLength(4);

  expect(contributions).toHaveLength(4);
  const [model, next] = await Promise.all([0, 1].map((version) => weightsOf(url, run, version)));
  const level = 0.5 / (2 ** 15 - 1);
  for (const [i, weight] of next!.entries()) {
    const mean = contributions.reduce((sum, { values }) => sum + values[i]!, 0) / 4;
    expect(Math.abs(weight - model![i]! - mean)).toBeLessThan(level + 1e-6);
  }
  // The sums of examples and losses are exact to the last bit: 2¹⁰ths of each device's loss.
  const losses = contributions.map(({ values }) => Math.round(values.at(-1)! * 2 ** 10));
  const { body: record } = await call<RunRecord>(url, `GET ${routes.run(run)}`);
  expect(record.metrics).toMatchObject({
    trainingExamples: 64,
    trainingLoss: losses.reduce((sum, loss) => sum + loss, 0) / 2 ** 10 / 64,
  });
});

test("when too few of the survivors come back after kill -9, the run ends with that reason and no sum", async () => {
  // Long enough for two answers on a busy machine: they have to be in before the step's time is up.
  const { url, run, devices, answered, restart } = await stuckIn(4, 12_000);
  // Two whose shares are not in yet; those of the other two are not enough.
  await Promise.all(
    devices.filter((device) => !answered.includes(device)).map(({ handle }) => handle.leave().catch(() => undefined)),
  );
  await restart();
  const ended = await runThat(url, run, over);
  expect(ended).toMatchObject({ phase: "failed", round: 0, modelVersion: 0 });
  expect(ended.reason).toMatch(/can never be finished.*go on from its model in a new run/);
}, 120_000);

async function weightsOf(url: string, run: RunId, version: number): Promise<Float32Array> {
  const { body } = await call<Uint8Array>(url, `GET ${routes.modelWeights(run, version)}`);
  return new Float32Array(body.slice().buffer);
}
