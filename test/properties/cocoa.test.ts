import { type Dataset, noTrainer, seededRandom } from "@tributary/algorithm";
import { algorithmNamed } from "@tributary/catalog";
import { type CocoaKept, problemOf } from "@tributary/cocoa";
import { Fold } from "@tributary/round";
import { type SimulatedRound, simulate } from "@tributary/simulation";
import { denseDataset } from "@tributary/training";
import fc from "fast-check";
import { expect, test } from "vitest";
import { specOf } from "../support/specs.ts";

const width = 4;
const signal = new AbortController().signal;

/** Rows of a noisy linear rule: labels ±1, or with `numbers` what the rule gives. */
function devicesOf(count: number, each: number, numbers = false): Dataset[] {
  const rule = [1, -2, 0.5, 0];
  return Array.from({ length: count }, (_, device) => {
    const random = seededRandom(7, `device ${device}`);
    const features = Float64Array.from({ length: each * width }, () => random.normal() / 2);
    const targets = Float64Array.from({ length: each }, (_, row) => {
      const z = rule.reduce((sum, weight, j) => sum + weight * features[row * width + j]!, 0.3 * random.normal());
      return numbers ? z : Math.sign(z);
    });
    return denseDataset({ features, numbers: targets, shape: [width] });
  });
}

function spec(algorithm: Record<string, unknown>, changes: Record<string, unknown> = {}) {
  return specOf({
    model: undefined,
    algorithm: { name: "cocoa", lambda: 0.01, largest: 4, maximumRows: 1000, ...algorithm },
    data: { kind: "table", shape: [width], target: "number", classes: 0 },
    cohort: { size: 4, minimum: 3, overSelect: 1 },
    stop: { rounds: 1000, target: { metric: "gap", atMost: 1e-6 } },
    ...changes,
  });
}

async function gapsOf(settings: Parameters<typeof simulate>[0]) {
  const rounds: SimulatedRound[] = [];
  const result = await simulate({ ...settings, onRound: (round) => rounds.push(round) });
  return { result, gaps: rounds.flatMap(({ metrics }) => metrics["gap"] ?? []) };
}

test.for([
  ["hinge", "cocoa+"],
  ["logistic", "cocoa+"],
  ["squared", "cocoa+"],
  ["hinge", "cocoa"],
  ["logistic", "cocoa"],
  ["squared", "cocoa"],
])("%s loss with %s: a gap never below zero, and down to the certificate asked for", async ([loss, variant]) => {
  const devices = devicesOf(4, 50, loss === "squared");
  const { result, gaps } = await gapsOf({ spec: spec({ loss, variant, passes: 4 }), devices });
  expect(result.reason).toMatch(/gap/);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(-1e-12);
  expect(gaps.at(-1)).toBeLessThan(1e-6);
});

test("squared loss comes to ridge regression's own solution", async () => {
  const devices = devicesOf(4, 50, true);
  const target = { rounds: 2000, target: { metric: "gap", atMost: 1e-13 } };
  const { result } = await gapsOf({ spec: spec({ loss: "squared", passes: 6 }, { stop: target }), devices });
  // At the optimum the gradient Σ (xᵀw − y) x / n + λw is 0.
  const gradient = [...result.model].map((weight) => 0.01 * weight);
  for (const data of devices) {
    const { rows, labels } = await problemOf(data, { loss: "squared", width, unitRows: false });
    for (let row = 0; row < rows.count; row++) {
      let error = -labels[row]!;
      for (let i = rows.starts[row]!; i < rows.starts[row + 1]!; i++)
        error += result.model[rows.columns[i]!]! * rows.values[i]!;
      for (let i = rows.starts[row]!; i < rows.starts[row + 1]!; i++)
        gradient[rows.columns[i]!]! += (error * rows.values[i]!) / 200;
    }
  }
  expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6);
});

test("under secure aggregation the gap comes down as in the clear", async () => {
  const devices = devicesOf(4, 50);
  const stop = { rounds: 9 };
  const plain = await gapsOf({ spec: spec({}, { stop }), devices });
  const secure = await gapsOf({ spec: spec({}, { stop, secureAggregation: "required" }), devices });
  expect(secure.gaps.length).toBe(plain.gaps.length);
  for (const [i, gap] of secure.gaps.entries()) expect(Math.abs(gap - plain.gaps[i]!)).toBeLessThan(1e-6);
});

test("w stays the image of the devices' duals, whoever is missing from a round, joins late, or lost its duals", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.constantFrom("here", "here", "here", "away", "lost"), { minLength: 4, maxLength: 4 }), {
        minLength: 3,
        maxLength: 10,
      }),
      fc.constantFrom("cocoa", "cocoa+"),
      fc.integer({ min: 0, max: 1000 }),
      async (rounds, variant, seed) => {
        const run = spec({ variant });
        const { client, server, lanes } = algorithmNamed("cocoa");
        const devices = devicesOf(4, 20);
        const kept: (CocoaKept | undefined)[] = devices.map(() => undefined);
        const known = devices.map(() => false);
        let state = server.init(run, new Float32Array(0));
        for (const [number, presence] of rounds.entries()) {
          const fold = new Fold(lanes(run, width, state));
          const next = new Map<number, CocoaKept>();
          const here = presence.flatMap((how, i) => (how === "away" ? [] : [i]));
          if (here.length === 0) continue;
          for (const i of here) {
            if (presence[i] === "lost") kept[i] = undefined;
            const worked = await client.work({
              question: server.ask(state, run),
              ...{ data: devices[i]!, trainer: noTrainer, signal },
              ...{ kept: kept[i], lost: known[i]! && kept[i] === undefined },
              random: seededRandom(seed, `${number}/${i}`),
            });
            fold.add(worked.contribution);
            next.set(i, worked.next as CocoaKept);
          }
          state = server.step(state, fold.total(), run).state;
          for (const [i, own] of next) {
            kept[i] = own;
            known[i] = true;
          }
          const image = new Float64Array(width);
          for (const [i, data] of devices.entries()) {
            const own = kept[i];
            if (own === undefined || own.generation !== state["generation"]) continue;
            const { rows, labels } = await problemOf(data, { loss: "hinge", width, unitRows: false });
            for (let row = 0; row < rows.count; row++) {
              for (let at = rows.starts[row]!; at < rows.starts[row + 1]!; at++) {
                image[rows.columns[at]!]! +=
                  (own.alpha[row]! * labels[row]! * rows.values[at]!) / (0.01 * (state["rows"] as number));
              }
            }
          }
          const off = state.model.map((weight, j) => Math.abs(weight - image[j]!));
          expect(Math.max(...off)).toBeLessThan(1e-9);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("labels that a loss does not take are refused by the device that has them", async () => {
  const devices = devicesOf(4, 20);
  const odd = denseDataset({ features: new Float64Array(2 * width), numbers: Float64Array.of(1, 3), shape: [width] });
  const stop = { rounds: 2 };
  const { result } = await gapsOf({
    spec: spec({}, { stop, cohort: { size: 5, minimum: 3, overSelect: 1 } }),
    devices: [...devices, odd],
  });
  expect(result.outcome).toBe("finished");
  const { client, server } = algorithmNamed("cocoa");
  const run = spec({});
  const question = server.ask(server.init(run, new Float32Array(0)), run);
  const work = client.work({
    question,
    data: odd,
    trainer: noTrainer,
    signal,
    kept: undefined,
    lost: false,
    random: seededRandom(0, ""),
  });
  await expect(work).rejects.toThrow(/hinge loss takes labels −1 and 1/);
});

test("a gap below zero ends the run with what is wrong", () => {
  const { server } = algorithmNamed("cocoa");
  const run = spec({});
  const state = { ...server.init(run, new Float32Array(0)), rows: 10, devices: 3 };
  const lanes = {
    update: new Float64Array(width),
    rows: [10],
    lossSum: [1],
    dualSum: [9],
    judged: [0],
    newRows: [0],
    newDevices: [0],
    lost: [0],
  };
  const total = {
    lanes: Object.fromEntries(Object.entries(lanes).map(([name, values]) => [name, Float64Array.from(values)])),
    weight: 1,
    contributors: 3,
  };
  expect(() => server.step(state, total, run)).toThrow(/duality gap is -0\.8, below zero/);
});
