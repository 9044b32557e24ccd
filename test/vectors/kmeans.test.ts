import { type Dataset, type Random, seededRandom } from "@tributary/algorithm";
import { simulate } from "@tributary/simulation";
import { denseDataset } from "@tributary/training";
import { expect, test } from "vitest";
import { specOf } from "../support/specs.ts";

const width = 3;

/** Points around three corners, dealt to `devices` devices so that each holds points of one corner only. */
function corners(devices: number, each: number): { datasets: Dataset[]; rows: number[][] } {
  const random = seededRandom(3, "corners");
  const parts = Array.from({ length: devices }, (_, device) =>
    Array.from({ length: each }, () => point(device % 3, random)),
  );
  const datasets = parts.map((rows) => denseDataset({ features: Float64Array.from(rows.flat()), shape: [width] }));
  return { datasets, rows: parts.flat() };
}

function point(corner: number, random: Random): number[] {
  return Array.from({ length: width }, (_, j) => (j === corner ? 10 : 0) + random.normal());
}

function spec(changes: Record<string, unknown> = {}, algorithm: Record<string, unknown> = {}) {
  return specOf({
    model: undefined,
    algorithm: { name: "kmeans", clusters: 3, ...algorithm },
    data: { kind: "table", shape: [width], target: "none", classes: 0 },
    cohort: { size: 6, minimum: 3, overSelect: 1 },
    stop: { rounds: 60, target: { metric: "shift", atMost: 0 } },
    ...changes,
  });
}

/** Lloyd on all rows in one place, until no centre moves. */
function lloyd(rows: number[][], first: number[][]): { centres: number[][]; inertia: number; iterations: number } {
  let centres = first;
  for (let iterations = 1; ; iterations++) {
    const owner = rows.map((row) => {
      const distances = centres.map((centre) => distance(row, centre));
      return distances.indexOf(Math.min(...distances));
    });
    const inertia = rows.reduce((sum, row, i) => sum + distance(row, centres[owner[i]!]!), 0);
    const next = centres.map((centre, cluster) => {
      const own = rows.filter((_, i) => owner[i] === cluster);
      return own.length === 0 ? centre : centre.map((_, j) => own.reduce((sum, row) => sum + row[j]!, 0) / own.length);
    });
    if (next.every((centre, i) => distance(centre, centres[i]!) === 0)) return { centres, inertia, iterations };
    centres = next;
  }
}

const distance = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, j) => sum + (x - b[j]!) ** 2, 0);

test("sums over devices give Lloyd's own centres, inertia and iterations", async () => {
  const { datasets, rows } = corners(6, 40);
  const centres = rows.slice(0, 3);
  const central = lloyd(rows, centres);
  const result = await simulate({
    spec: spec({}, { init: { kind: "given", centres }, minimumCount: 1 }),
    devices: datasets,
  });
  expect(result.metrics["iterations"]).toBe(central.iterations);
  expect(Math.abs(result.metrics["inertia"]! / central.inertia - 1)).toBeLessThan(1e-12);
  expect(result.metrics).toMatchObject({ shift: 0, examples: 240, emptyClusters: 0, withheldClusters: 0 });
  const found = central.centres.flat();
  expect(Math.max(...result.model.map((value, i) => Math.abs(value - found[i]!)))).toBeLessThan(1e-12);
});

test("a secure sum gives the same within what fixed point allows", async () => {
  const { datasets, rows } = corners(6, 40);
  const init = { kind: "given", centres: rows.slice(0, 3) };
  const algorithm = { init, minimumCount: 1, largest: 16, maximumRows: 100 };
  const plain = await simulate({ spec: spec({}, algorithm), devices: datasets });
  const stop = { rounds: 60, target: { metric: "shift", atMost: 1e-12 } };
  const secure = await simulate({ spec: spec({ secureAggregation: "required", stop }, algorithm), devices: datasets });
  expect(Math.abs(secure.metrics["inertia"]! / plain.metrics["inertia"]! - 1)).toBeLessThan(1e-8);
  expect(Math.max(...secure.model.map((value, i) => Math.abs(value - plain.model[i]!)))).toBeLessThan(1e-8);
});

test.for([{ kind: "sampled", rows: 6 }, { kind: "ranges" }])(
  "first centres by $kind take no row and serve",
  async (init) => {
    const { datasets, rows } = corners(6, 40);
    const algorithm = { init, largest: 16, maximumRows: 100 };
    const result = await simulate({ spec: spec({ secureAggregation: "required" }, algorithm), devices: datasets });
    expect(result.outcome, result.reason).toBe("finished");
    const mean = Array.from({ length: width }, (_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length);
    expect(result.metrics["inertia"]).toBeLessThan(rows.reduce((sum, row) => sum + distance(row, mean), 0));
  },
);

test("in the clear no device seeds a cluster with fewer rows than a mean of them may show", () => {
  const algorithm = { init: { kind: "sampled", rows: 4 }, minimumCount: 5 };
  const refused = "algorithm.init.rows: 4 rows of a device by themselves, in the clear; take at least 5";
  expect(() => spec({ secureAggregation: "none" }, algorithm)).toThrow(refused);
  expect(() => spec({ secureAggregation: "required" }, algorithm)).not.toThrow();
});

test("mini-batches come near to what all rows give", async () => {
  const { datasets, rows } = corners(6, 40);
  const init = {
    kind: "given",
    centres: [point(0, seededRandom(1, "a")), point(1, seededRandom(1, "b")), point(2, seededRandom(1, "c"))],
  };
  const result = await simulate({
    spec: spec({ stop: { rounds: 40 }, evaluation: { on: "clients" } }, { init, batchSize: 10 }),
    devices: datasets,
  });
  const central = lloyd(rows, init.centres);
  expect(result.metrics["inertia"]! / central.inertia).toBeLessThan(1.05);
});

test("a cluster without rows and one with too few keep their centres, and the report says so", async () => {
  const { datasets } = corners(6, 40);
  const far = [
    [0, 0, 0],
    [1e6, 0, 0],
    [30, 0, 0],
  ];
  const lone = denseDataset({ features: Float64Array.of(30, 1, 0), shape: [width] });
  const result = await simulate({
    spec: spec({ cohort: { size: 7, minimum: 3, overSelect: 1 } }, { init: { kind: "given", centres: far } }),
    devices: [...datasets, lone],
  });
  expect(result.metrics).toMatchObject({ emptyClusters: 1, withheldClusters: 1 });
  expect([...result.model.subarray(3)]).toEqual([1e6, 0, 0, 30, 0, 0]);
});
