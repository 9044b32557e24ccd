import type { ClientHalf, KeptState } from "@tributary/algorithm";
import { type KeptRecord, keptInMemory, type ParticipantOptions } from "@tributary/participant";
import type { ClientId, RunId, StepQuestion } from "@tributary/protocol";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { ScriptedCoordinator } from "../support/participant-coordinator.ts";
import { deviceOf, planOf, questionOf, type TestDevice, theRun } from "../support/participant-device.ts";

/** Keeps the number of rounds that included it, and sends what it was given: that number, or −1 where it was lost. */
const counting: ClientHalf = {
  keeps: true,
  async work({ kept, lost }) {
    const rounds = lost ? -1 : ((kept?.["rounds"] as number | undefined) ?? 0);
    const next: KeptState = { rounds: Math.max(0, rounds) + 1 };
    return { contribution: { values: Float32Array.of(rounds), weight: 1 }, next };
  },
  evaluate: async () => ({ values: Float32Array.of(0), weight: 1 }),
};

let coordinator: ScriptedCoordinator;
beforeEach(async () => {
  coordinator = await new ScriptedCoordinator().start();
  coordinator.runs = [planOf(theRun)];
  onTestFinished(() => coordinator.stop());
});

function join(different: Partial<ParticipantOptions> = {}): TestDevice {
  const device = deviceOf(coordinator, { clientHalf: () => counting, ...different });
  onTestFinished(() => device.participant.leave());
  return device;
}

/** Asks one attempt, and gives what the device sent. */
async function sentFor(device: TestDevice, client: ClientId, different: Partial<StepQuestion>): Promise<number> {
  const { round = 1, attempt = 1 } = different;
  // Each round has a model of its own.
  const model = coordinator.publish(Float32Array.of(round, 0, 0, 0, 0, 0));
  coordinator.ask(client, questionOf(model, { answer: { element: "f32", length: 1 }, round, attempt, ...different }));
  await device.event("sent", ({ hint }) => hint.round === round && hint.attempt === attempt);
  return coordinator.answers.entries.at(-1)!.frame.values[0]!;
}

test("what a round left is taken up once the coordinator says that the round was committed with it", async () => {
  const device = join();
  const client = await device.offered();
  expect(await sentFor(device, client, { round: 1 })).toBe(0);
  expect(await sentFor(device, client, { round: 2, included: { round: 1, attempt: 1 } })).toBe(1);
  expect(await sentFor(device, client, { round: 3, included: { round: 2, attempt: 1 } })).toBe(2);
  // Not asked in round 4, and round 5 went on without it.
  expect(await sentFor(device, client, { round: 5, included: { round: 3, attempt: 1 } })).toBe(3);
  expect(await sentFor(device, client, { round: 6, included: { round: 3, attempt: 1 } })).toBe(3);
});

test("what a void attempt left is not taken up, unless the same contribution went into the one that was committed", async () => {
  const device = join();
  const client = await device.offered();
  await sentFor(device, client, { round: 1, attempt: 1 });
  expect(await sentFor(device, client, { round: 2, attempt: 1 })).toBe(0);
  await sentFor(device, client, { round: 2, attempt: 2 });
  expect(device.events.entries.filter(({ type }) => type === "reused")).toHaveLength(1);
  expect(await sentFor(device, client, { round: 3, included: { round: 2, attempt: 2 } })).toBe(1);
});

test("of two attempts in quick succession, what the newer one left is what stays", async () => {
  const kept = keptInMemory();
  let finish = () => {};
  const slowDisk = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let saves = 0;
  const slow = {
    ...kept,
    async save(run: RunId, record: KeptRecord) {
      saves += 1;
      if (saves === 1) await slowDisk;
      await kept.save(run, record);
    },
  };
  const device = join({ kept: slow });
  const client = await device.offered();
  const model = coordinator.publish(Float32Array.of(1, 0, 0, 0, 0, 0));
  const question = questionOf(model, { answer: { element: "f32", length: 1 }, round: 1, attempt: 1 });
  coordinator.ask(client, question);
  await expect.poll(() => saves).toBe(1);
  coordinator.ask(client, { ...question, attempt: 2 });
  await device.event("asked", ({ hint }) => hint.attempt === 2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  finish();
  await device.event("sent", ({ hint }) => hint.attempt === 2);
  expect((await kept.load(theRun))?.pending).toMatchObject({ round: 1, attempt: 2 });
});

test("a device that began anew goes on from what it kept", async () => {
  const kept = keptInMemory();
  const first = join({ kept });
  await sentFor(first, await first.offered(), { round: 1 });
  await first.participant.leave();
  const again = join({ kept });
  expect(await sentFor(again, await again.offered(), { round: 2, included: { round: 1, attempt: 1 } })).toBe(1);
});

test("a device that lost what it kept says so, and is then like any other", async () => {
  const device = join();
  const client = await device.offered();
  expect(await sentFor(device, client, { round: 4, included: { round: 3, attempt: 2 } })).toBe(-1);
  expect(await device.event("notice", ({ text }) => text.includes("round 3"))).toMatchObject({
    text: `what this device kept of ${theRun} since round 3 is gone; it says so and begins anew`,
  });
  expect(await sentFor(device, client, { round: 5, included: { round: 4, attempt: 1 } })).toBe(1);
});

test("after a roll-back to a time before this device, nothing is left and nothing was lost", async () => {
  const device = join();
  const client = await device.offered();
  await sentFor(device, client, { round: 1 });
  await sentFor(device, client, { round: 2, included: { round: 1, attempt: 1 } });
  expect(await sentFor(device, client, { round: 3 })).toBe(0);
});

test("when the run is over, what was kept of it is removed", async () => {
  const kept = keptInMemory();
  const device = join({ kept });
  const client = await device.offered();
  await sentFor(device, client, { round: 1 });
  expect(await kept.load(theRun)).toBeDefined();
  coordinator.tell(client, "run", { run: theRun, phase: "finished" });
  await device.event("runEnded");
  expect(await kept.load(theRun)).toBeUndefined();
});

test("who leaves for good leaves nothing of theirs behind, not even of work that ends only after that", async () => {
  const kept = keptInMemory();
  let finish = () => {};
  const working = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let works = 0;
  const slow: ClientHalf = {
    ...counting,
    async work(input) {
      works += 1;
      if (works === 2) await working;
      return counting.work(input);
    },
  };
  const device = join({ kept, clientHalf: () => slow });
  const client = await device.offered();
  await sentFor(device, client, { round: 1 });
  expect(await kept.load(theRun)).toBeDefined();
  const model = coordinator.publish(Float32Array.of(2, 0, 0, 0, 0, 0));
  coordinator.ask(client, questionOf(model, { answer: { element: "f32", length: 1 }, round: 2 }));
  await expect.poll(() => works).toBe(2);
  await device.participant.leave({ forget: true });
  expect(await kept.load(theRun)).toBeUndefined();
  finish();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await kept.load(theRun)).toBeUndefined();
});

test("who leaves for good before being connected leaves nothing behind either", async () => {
  const kept = keptInMemory();
  const first = join({ kept });
  await sentFor(first, await first.offered(), { round: 1 });
  await first.participant.leave();
  expect(await kept.load(theRun)).toBeDefined();
  const again = join({ kept, run: theRun });
  await again.participant.leave({ forget: true });
  expect(await kept.load(theRun)).toBeUndefined();
});
