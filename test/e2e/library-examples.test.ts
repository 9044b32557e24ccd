import type { RunRecord } from "@tributary/protocol";
import { routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { takePart } from "../../examples/browser-client.mjs";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { sharedCoordinator } from "../support/coordinator-local.ts";
import { lineProcess } from "../support/line-process.ts";
import { specOf } from "../support/specs.ts";

const coordinator = sharedCoordinator();
const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 3 } };
const algorithm = { name: "fedavg", learningRate: 0.5 };

/** Three rounds at a rate of one half leave an eighth of what lay between the first model, all zeros but kernels, and the last. */
async function expectLearned(run: string): Promise<void> {
  const over = ({ phase }: RunRecord) => phase === "finished";
  expect(await runThat(coordinator.url, run, over)).toMatchObject({ reason: "all 3 rounds done" });
  const model = async (version: number) => {
    const { body } = await call<Uint8Array>(coordinator.url, `GET ${routes.modelWeights(run, version)}`);
    return [...new Float32Array(body.slice().buffer)];
  };
  const [first, last] = [await model(0), await model(3)];
  const wanted = [1, 0, -1, 0, 2, 0];
  for (const [i, weight] of last.entries()) expect(weight).toBeCloseTo(wanted[i]! + (first[i]! - wanted[i]!) / 8, 5);
}

test("a program with data and training of its own takes part through the Node library", async () => {
  const { run } = await createRun(coordinator.url, specOf({ ...alone, algorithm }));
  expect(await lineProcess("../../examples/node-client.mjs", coordinator.url, run).ended).toBe(0);
  await expectLearned(run);
});

test("a page's code with data and training of its own takes part through the browser library", async () => {
  const { run } = await createRun(coordinator.url, specOf({ ...alone, algorithm }));
  await takePart(coordinator.url, run);
  await expectLearned(run);
});
