import { readFile } from "node:fs/promises";
import { join as pathOf } from "node:path";
import type { Dataset, Trainer } from "@tributary/algorithm";
import { trafficOfRound } from "@tributary/catalog";
import { join } from "@tributary/node-client";
import type { LedgerEntry } from "@tributary/participant";
import { isOver, type RoundRecord, type RunId, routes, trafficOf } from "@tributary/protocol";
import { parameterCount } from "@tributary/training";
import { expect, onTestFinished, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { specOf } from "../support/specs.ts";

const table = { kind: "table", shape: [2], target: "class", classes: 2 } as const;
const local = { learningRate: 0.1 };
const ownModel = { model: undefined };

/** A run of each algorithm, in which each round that can be asked for is. */
const runs: Readonly<Record<string, Record<string, unknown>>> = {
  fedavg: { algorithm: { name: "fedavg", ...local } },
  fedprox: { algorithm: { name: "fedprox", ...local } },
  fednova: { algorithm: { name: "fednova", ...local } },
  fedsgd: { algorithm: { name: "fedsgd", server: { optimizer: "sgd", learningRate: 0.1 } } },
  scaffold: { algorithm: { name: "scaffold", clients: 6, ...local } },
  cocoa: { ...ownModel, algorithm: { name: "cocoa", largest: 10 } },
  kmeans: {
    ...ownModel,
    algorithm: {
      name: "kmeans",
      clusters: 2,
      init: { kind: "ranges", grid: { kind: "linear", from: -9, to: 9, bins: 9 } },
    },
  },
  ridge: { ...ownModel, data: { ...table, target: "number", classes: 0 }, algorithm: { name: "ridge" } },
  statistics: {
    ...ownModel,
    algorithm: { name: "statistics", minimumCount: 1, bins: 10, largest: 100, maximumRows: 100 },
  },
  bigrams: {
    ...ownModel,
    data: { kind: "text", shape: [3], target: "class", classes: 5, vocabulary: "\nabcd" },
    algorithm: { name: "bigrams" },
  },
};

/** Sixteen rows of what each run's data is. */
function rowsFor({
  shape,
  classes,
  target,
}: {
  shape: readonly number[];
  classes: number;
  target: Dataset["target"];
}): Dataset {
  const width = shape[0]!;
  return {
    examples: 16,
    shape,
    classes,
    target,
    batch(positions, features, targets) {
      positions.forEach((position, row) => {
        for (let i = 0; i < width; i++) features[row * width + i] = (position * (i + 2)) % 5;
        targets[row] = classes === 0 ? position : position % classes;
      });
    },
  } as Dataset;
}

/** What weights there are is all that counts here. */
const idle = (parameters: number): Trainer => ({
  engine: "none",
  parameters,
  train: async ({ weights }) => ({ weights: weights.slice(), steps: 1, loss: 1 }),
  gradient: async ({ weights }) => ({ gradient: new Float32Array(weights.length), loss: 1 }),
  evaluate: async ({ data }) => ({ examples: data.examples, lossSum: 1, correct: 1 }),
});

test.each(
  Object.keys(runs).flatMap(
    (name) =>
      [
        [name, "none"],
        [name, "required"],
      ] as const,
  ),
)(
  "what a round of %s is said to take (secure aggregation: %s) is what its devices' ledgers have",
  async (name, secureAggregation) => {
    const devices = secureAggregation === "none" ? 2 : 6;
    const folder = await dataFolder();
    const { url } = await localCoordinator();
    const evaluated = ["kmeans", "ridge", "statistics", "bigrams"].includes(name) ? "nowhere" : "clients";
    const spec = specOf({
      cohort: { size: devices, minimum: devices, overSelect: 1 },
      secureAggregation,
      evaluation: { on: evaluated },
      stop: { rounds: 2 },
      ...runs[name],
    });
    const parameters = spec.model === undefined ? 0 : parameterCount(spec.model, spec.data);
    const said = trafficOfRound(spec, parameters);
    const { run } = await createRun(url, spec);
    const ledgerFile = pathOf(folder, "ledger.jsonl");
    const dataset = rowsFor(spec.data);
    const handle = join({
      coordinator: url,
      run: run as RunId,
      devices: Array.from({ length: devices }, (_, i) => ({ name: `device ${i}`, dataset, data: spec.data })),
      engine: "none",
      trainerFactory: async () => idle(parameters),
      ledgerFile,
    });
    handle.done.catch(() => undefined);
    onTestFinished(() => handle.leave().catch(() => undefined));
    const ended = await runThat(url, run, ({ phase }) => isOver(phase));
    expect(ended, ended.reason).toMatchObject({ phase: "finished" });
    await handle.done;

    const lines = (await readFile(ledgerFile, "utf8")).trim().split("\n");
    const answers = lines
      .map((line) => JSON.parse(line) as LedgerEntry)
      .filter(({ destination }) => destination.includes("/answers/"));
    const upIn = (round: number) =>
      answers.filter((entry) => entry.round === round).reduce((sum, { bytes }) => sum + bytes, 0) / devices;
    expect(Math.max(upIn(1), upIn(2))).toBe(said.up);
    expect(said.clients).toBe(devices);

    // The coordinator counts the vectors; a device that holds one already does not fetch it again.
    const { body: rounds } = await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`);
    const fetched = rounds.map((round) => trafficOf(round).down / devices);
    expect(Math.max(...fetched)).toBeLessThanOrEqual(said.down);
  },
);
