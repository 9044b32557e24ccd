import type { ParticipantEvent } from "@tributary/participant";
import type { Hint, RunId } from "@tributary/protocol";
import { expect, test } from "vitest";
import { Narrator } from "../../apps/cli/src/narration.ts";

const hint: Hint = { run: "run-1" as RunId, round: 3, attempt: 1, step: 0, kind: "train" };
const training = (batch: number, remainingMs = 4_200): ParticipantEvent => ({
  type: "training",
  hint,
  done: batch / 60,
  progress: { epoch: 2, epochs: 5, batch, batches: 60, loss: 0.25 },
  pace: { examplesPerSecond: 461.2, remainingMs },
});
const left: ParticipantEvent = { type: "left" };

function narrated(
  terminal: boolean,
  told: readonly (readonly [at: number, event: ParticipantEvent, device?: string])[],
) {
  let [out, now] = ["", 0];
  const write = (text: string) => {
    out += text;
  };
  const narrator = new Narrator({ write, terminal, now: () => now });
  for (const [at, event, device = ""] of told) {
    now = at;
    narrator.tell(event, device);
  }
  return out;
}

test("a terminal shows batch, epoch, pace and time left on one line that is written over", () => {
  const line = (batch: number) => `round 3: epoch 2 of 5, batch ${batch} of 60, loss 0.250, 461 examples/s, 5 s left`;
  const shown = narrated(true, [
    [0, training(1)],
    [250, training(40)],
    [500, left],
    [750, left],
  ]);
  expect(shown).toBe(`${line(1)}\r\u001b[2K${line(40)}\r\u001b[2Kleft\nleft\n`);
});

test("a log has a line of it every ten seconds at most, with the device's name", () => {
  const told = Array.from({ length: 81 }, (_, i) => [250 * i, training(i), "box"] as const);
  const lines = narrated(false, told).trimEnd().split("\n");
  expect(lines.map((line) => /^\[box\] round 3: epoch 2 of 5, batch (\d+) of 60, /.exec(line)?.[1])).toEqual([
    "0",
    "40",
    "80",
  ]);
});

test("long waits are told in minutes and hours", () => {
  const ending = (remainingMs: number) => narrated(false, [[0, training(1, remainingMs)]]);
  expect(ending(61_000)).toMatch(/, 1 min left\n$/);
  expect(ending(3_725_000)).toMatch(/, 1 h 2 min left\n$/);
});

test("a run in the clear is said to be not secure, where a device joins it", () => {
  const plan = {
    name: "digits",
    run: "run-1" as RunId,
    phase: "gathering",
    round: 0,
    algorithm: { name: "fedavg" },
    data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 },
    rounds: 3,
    tags: [],
  } as const;
  const told = (secureAggregation: "required" | "none") =>
    narrated(false, [
      [
        0,
        {
          type: "offered",
          runs: [{ ...plan, tags: [], data: { ...plan.data, shape: [28, 28, 1] }, secureAggregation }],
        },
      ],
    ]);
  expect(told("required")).toBe("taking part in digits (run-1)\n");
  expect(told("none")).toBe(
    "taking part in digits (run-1), which is NOT SECURE: the coordinator sees this device's update\n",
  );
});
