import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "@tributary/algorithm";
import { clientHalfNamed } from "@tributary/catalog";
import type { LedgerEntry } from "@tributary/participant";
import { isOver, type RoundRecord, routes } from "@tributary/protocol";
import { denseDataset } from "@tributary/training";
import { expect, test } from "vitest";
import { canariesIn, numberCanary } from "../support/canary.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { tinyDevices } from "../support/federation-devices.ts";
import { recordingProxy } from "../support/recording-proxy.ts";
import { specOf } from "../support/specs.ts";

const float32 = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0]!;
/** Values that nothing else in a run looks like. */
const planted = [float32(0x42cafe17), float32(0x3fc0ffee), float32(0xc1d00d1e)];

function dataset(): Dataset {
  const features = Float32Array.from({ length: 32 }, (_, i) => planted[i % 3]!);
  return denseDataset({ features, labels: Int32Array.from({ length: 16 }, (_, i) => i % 2), shape: [2], classes: 2 });
}

/** What devices worked out: a part of each update that no other number of the run looks like. */
function recorder() {
  const half = clientHalfNamed("fedavg");
  const updates: number[] = [];
  const recorded = {
    ...half,
    async work(input: Parameters<typeof half.work>[0]) {
      const worked = await half.work(input);
      const { values } = worked.contribution;
      updates.push(...values.subarray(0, values.length - 2));
      return worked;
    },
  };
  return { updates, recorded };
}

test("of a secure run nothing leaves a device but keys, shares, tags and masked bytes, and every byte is in its ledger", async () => {
  const folder = await dataFolder();
  const { url } = await localCoordinator();
  const spec = specOf({
    algorithm: { name: "fedavg", learningRate: 0.001 },
    cohort: { size: 3, minimum: 3, overSelect: 1 },
    secureAggregation: "required",
    secure: { weightCap: 16 },
    evaluation: { on: "clients" },
    stop: { rounds: 2 },
  });
  const { run } = await createRun(url, spec);
  const proxy = await recordingProxy(url);
  const { updates, recorded } = recorder();
  const ledgerFile = join(folder, "ledger.jsonl");
  const { handle } = tinyDevices(proxy.url, ["ann", "ben", "cem"], {
    run,
    dataset: dataset(),
    clientHalf: () => recorded,
    ledgerFile,
  });
  expect(await runThat(url, run, ({ phase }) => isOver(phase))).toMatchObject({ phase: "finished" });
  await handle.done;

  expect(updates).toHaveLength(2 * 3 * 6);
  const moved = updates.filter((value) => value !== 0);
  expect(moved.length).toBeGreaterThan(0);
  expect(canariesIn(proxy.captured, [...planted, ...moved].map(numberCanary))).toEqual([]);

  const lines = (await readFile(ledgerFile, "utf8")).trim().split("\n");
  const ledger = lines.map((line) => JSON.parse(line) as LedgerEntry);
  expect(ledger.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(proxy.payloadBytes());
  const answers = ledger.filter(({ destination }) => destination.includes("/answers/"));
  const steps = ["keys", "shares", "masked", "tags", "shares"];
  for (const { destination, protection } of answers) {
    expect(protection).toBe(steps[Number(/steps\/(\d)\//.exec(destination)![1])]);
  }
  // Two rounds, each trained and judged by three devices in five steps.
  expect(answers).toHaveLength(2 * 2 * 3 * 5);

  const { body: rounds } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
  for (const { round, attempt, bytesUp } of rounds) {
    const sent = answers.filter(({ destination }) => destination.includes(`/rounds/${round}/attempts/${attempt}/`));
    expect(sent.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(bytesUp);
  }
});
