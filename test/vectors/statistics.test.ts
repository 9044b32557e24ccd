import { type Dataset, noTrainer, seededRandom } from "@tributary/algorithm";
import { algorithmNamed } from "@tributary/catalog";
import { simulate } from "@tributary/simulation";
import { denseDataset } from "@tributary/training";
import { expect, test } from "vitest";
import { specOf } from "../support/specs.ts";

const width = 3;
const each = 200;

/** A normal feature around 50, one that grows, and a constant; the target is 2a − b + 1 with a little noise. */
function devicesOf(count: number): { datasets: Dataset[]; rows: number[][]; targets: number[] } {
  const random = seededRandom(5, "rows");
  const rows = Array.from({ length: count * each }, (_, i) => [50 + 5 * random.normal(), i / 100, 7]);
  const targets = rows.map(([a, b]) => 2 * a! - b! + 1 + 0.01 * random.normal());
  const datasets = Array.from({ length: count }, (_, device) => {
    const own = rows.slice(device * each, (device + 1) * each);
    const numbers = Float64Array.from(targets.slice(device * each, (device + 1) * each));
    return denseDataset({ features: Float64Array.from(own.flat()), numbers, shape: [width] });
  });
  return { datasets, rows, targets };
}

function spec(algorithm: Record<string, unknown>, changes: Record<string, unknown> = {}) {
  return specOf({
    model: undefined,
    algorithm: { maximumRows: each, ...(algorithm["name"] === "bigrams" ? {} : { largest: 200 }), ...algorithm },
    data: { kind: "table", shape: [width], target: "number", classes: 0 },
    cohort: { size: 4, minimum: 3, overSelect: 1 },
    stop: { rounds: 2 },
    ...changes,
  });
}

interface Feature {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
  readonly low: number;
  readonly high: number;
  readonly quantiles: Readonly<Record<string, number>>;
}

test.for(["none", "required"])(
  "statistics of all rows without seeing one (secure aggregation %s)",
  async (secureAggregation) => {
    const { datasets, rows } = devicesOf(4);
    const run = spec({ name: "statistics" }, { secureAggregation });
    const result = await simulate({ spec: run, devices: datasets });
    expect(result.metrics).toMatchObject({ examples: 800, features: width, constantFeatures: 1 });
    const { features } = algorithmNamed("statistics").server.describe!(result.model as Float64Array, run) as {
      features: Feature[];
    };
    for (const feature of [0, 1]) {
      const values = rows.map((row) => row[feature]!).sort((a, b) => a - b);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      const found = features[feature]!;
      expect(found.count).toBe(800);
      expect(Math.abs(found.mean - mean)).toBeLessThan(1e-6);
      expect(Math.abs(found.variance / variance - 1)).toBeLessThan(1e-6);
      // A bin's width is a hundredth of the range, and bins may be merged.
      const bin = (found.high - found.low) / 100;
      for (const q of [0.25, 0.5, 0.75]) {
        expect(Math.abs(found.quantiles[q]! - values[Math.floor(q * 800)]!)).toBeLessThan(3 * bin);
      }
      // No extreme is shown: the range's ends are edges of the grid.
      expect(values).not.toContain(found.low);
      expect(values).not.toContain(found.high);
    }
    expect(features[2]).toMatchObject({ mean: expect.closeTo(7, 6), variance: expect.closeTo(0, 6) });
  },
);

test("a lone outlier is not in the range that is shown", async () => {
  const { datasets } = devicesOf(4);
  const outlier = denseDataset({ features: Float64Array.of(900, 1, 7), numbers: Float64Array.of(1), shape: [width] });
  const run = spec({ name: "statistics" }, { cohort: { size: 5, minimum: 3, overSelect: 1 } });
  const result = await simulate({ spec: run, devices: [...datasets, outlier] });
  const { features } = algorithmNamed("statistics").server.describe!(result.model as Float64Array, run) as {
    features: Feature[];
  };
  expect(features[0]!.high).toBeLessThan(200);
  expect(result.metrics["mergedBins"]).toBeGreaterThan(0);
});

test.for(["none", "required"])(
  "ridge regression is the closed form over all rows (secure aggregation %s)",
  async (secureAggregation) => {
    const { datasets, rows, targets } = devicesOf(4);
    const run = spec({ name: "ridge", lambda: 0.5, intercept: true }, { secureAggregation, stop: { rounds: 1 } });
    const result = await simulate({ spec: run, devices: datasets });
    // At the optimum, Xᵀ(Xw − y) + λw is 0, and without λ for the intercept.
    const gradient = [...result.model.subarray(0, width).map((weight) => 0.5 * weight), 0];
    let squares = 0;
    rows.forEach((row, i) => {
      const error = row.reduce((sum, value, j) => sum + value * result.model[j]!, result.model[width]!) - targets[i]!;
      squares += error * error;
      [...row, 1].forEach((value, j) => {
        gradient[j]! += error * value;
      });
    });
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-3);
    expect(Math.abs(result.metrics["rmse"]! - Math.sqrt(squares / rows.length))).toBeLessThan(1e-4);
  },
);

test("without a penalty a constant feature beside an intercept is refused by its number", async () => {
  const { datasets } = devicesOf(4);
  const run = spec({ name: "ridge", lambda: 0, intercept: true }, { stop: { rounds: 1 } });
  const result = await simulate({ spec: run, devices: datasets });
  expect(result.outcome).toBe("failed");
  expect(result.reason).toMatch(/feature 3 is constant or a combination of the others.*lambda above 0/);
});

test("bigram counts predict what follows, and rare pairs are withheld", async () => {
  const text = (pairs: readonly [number, number][]) =>
    denseDataset({
      features: Float64Array.from(pairs.map(([before]) => before)),
      labels: Int32Array.from(pairs.map(([, after]) => after)),
      shape: [1],
      classes: 3,
    });
  const devices = [0, 1, 2].map(() =>
    text([
      [0, 1],
      [0, 1],
      [1, 2],
      [2, 0],
      [0, 2],
    ]),
  );
  const run = spec(
    { name: "bigrams", minimumCount: 4 },
    {
      data: { kind: "text", shape: [1], classes: 3, vocabulary: "\nab" },
      stop: { rounds: 1 },
      evaluation: { on: "clients" },
      secureAggregation: "none",
    },
  );
  const result = await simulate({ spec: run, devices });
  expect([...result.model]).toEqual([0, 6, 0, 0, 0, 0, 0, 0, 0]);
  expect(result.metrics).toMatchObject({ withheldPairs: 3, pairs: 1, accuracy: 9 / 15 });
  const expected = -(6 * Math.log(6.1 / 6.3) + 3 * Math.log(0.1 / 6.3) + 6 * Math.log(1 / 3)) / 15;
  expect(Math.abs(result.metrics["loss"]! - expected)).toBeLessThan(1e-12);
});

test.for(["kmeans", "cocoa", "ridge", "statistics"])(
  "%s refuses a device without rows and one with other features",
  async (name) => {
    const { client, server } = algorithmNamed(name);
    const run = spec({
      name,
      ...(name === "kmeans" ? { clusters: 2 } : {}),
      ...(name === "cocoa" ? { loss: "squared" } : {}),
    });
    const question = server.ask(server.init(run, new Float32Array(0)), run);
    const random = seededRandom(0, "");
    const shared = {
      question,
      trainer: noTrainer,
      signal: new AbortController().signal,
      kept: undefined,
      lost: false,
      random,
    };
    const empty = denseDataset({ features: new Float64Array(0), numbers: new Float64Array(0), shape: [width] });
    const narrow = denseDataset({ features: new Float64Array(2), numbers: new Float64Array(1), shape: [2] });
    await expect(client.work({ ...shared, data: empty })).rejects.toThrow(/no rows; give it some/);
    await expect(client.work({ ...shared, data: narrow })).rejects.toThrow(/2 features, the run's 3/);
  },
);

test("a specification that no secure sum has room for is refused when it is made, with what to change", () => {
  const algorithm = { name: "ridge", largest: 1e9, maximumRows: 1_000_000 };
  expect(() => spec(algorithm, { secureAggregation: "required" })).toThrow(/gram can grow to .* smaller `largest`/);
  expect(() => spec({ name: "kmeans", clusters: 1000, maximumRows: 10 })).toThrow(/1000 for at most 40 rows/);
  const centres = [[1, 2]];
  expect(() => spec({ name: "kmeans", clusters: 2, init: { kind: "given", centres } })).toThrow(
    /1 for 2 clusters.*2 values; the data has 3 features/,
  );
});

test("more clusters than rows end the run with both figures", async () => {
  const devices = [0, 1, 2].map((i) => denseDataset({ features: Float64Array.of(i, 0, 0), shape: [width] }));
  const centres = [
    [0, 0, 0],
    [1, 0, 0],
    [2, 0, 0],
    [3, 0, 0],
  ];
  const run = spec(
    { name: "kmeans", clusters: 4, init: { kind: "given", centres } },
    {
      data: { kind: "table", shape: [width], target: "none", classes: 0 },
      cohort: { size: 3, minimum: 3, overSelect: 1 },
    },
  );
  const result = await simulate({ spec: run, devices });
  expect(result.outcome).toBe("failed");
  expect(result.reason).toMatch(/4 clusters for 3 rows/);
});
