import { rowsOf } from "@tributary/algorithm";
import { nearestCentre } from "@tributary/kmeans";
import { openData } from "@tributary/training/node";
import { type Check, type Experiment, type Outcome, type Setting, sharedData, within } from "./experiment.ts";
import { runSums } from "./sums.ts";

/** Lloyd on all rows in one place (sklearn 1.9.1 and an independent implementation agree; shared/ALGORITHMS.md, A.12). */
const oracles = [
  { file: "tra", inertia: 2545388.3793, iterations: 36 },
  { file: "tes", inertia: 1167859.384, iterations: 14 },
] as const;
const adjustedRandIndex = 0.5781;
const clusters = 10;
const width = 64;
const clients = 20;

export const x15: Experiment = {
  name: "x15",
  summary:
    "parallel k-means on optdigits, 20 clients sorted by label, under secure aggregation: Lloyd's own inertia and iterations",
  needs: ["optdigits"],
  async run(setting): Promise<Outcome> {
    const parts: Awaited<ReturnType<typeof lloyd>>[] = [];
    for (const oracle of oracles) parts.push(await lloyd(oracle, setting));
    const sum = (of: (part: (typeof parts)[number]) => number) => parts.reduce((total, part) => total + of(part), 0);
    return {
      checks: parts.flatMap(({ checks }) => checks),
      rounds: sum(({ rounds }) => rounds),
      bytesUp: sum(({ bytesUp }) => bytesUp),
    };
  },
};

async function lloyd({ file, inertia, iterations }: (typeof oracles)[number], setting: Setting) {
  const source = { source: `csv:${sharedData}/optdigits/optdigits.${file}`, schema: { header: false, target: "65" } };
  const { dataset, labels } = await openData(source);
  const rows = await rowsOf(dataset, width);
  const centres = Array.from({ length: clusters }, (_, i) => [...rows.features.subarray(i * width, (i + 1) * width)]);
  const result = await runSums(
    {
      spec: {
        name: `X15 ${file}`,
        algorithm: {
          ...{ name: "kmeans", clusters, init: { kind: "given", centres }, minimumCount: 1 },
          ...{ largest: 16, maximumRows: 400 },
        },
        data: { kind: "table", shape: [width], classes: 10 },
        cohort: { size: clients, minimum: clients, population: clients },
        deadlines: { joinMs: 120_000 },
        stop: { rounds: 100, target: { metric: "shift", atMost: 0 } },
      },
      deals: [{ source, partition: "sorted", clients }],
    },
    setting,
  );
  const last = result.rounds.at(-1)!;
  const close = (name: string, measured: number, expected: number, tolerance: number): Check =>
    within(name, measured, { atLeast: expected - tolerance, atMost: expected + tolerance, paper: `${expected}` });
  const checks = [
    close(`inertia, optdigits.${file}`, last["inertia"]!, inertia, inertia * 1e-6),
    close(`iterations, optdigits.${file}`, last["iterations"]!, iterations, 1),
  ];
  if (file === "tra") {
    const found = Array.from(
      { length: rows.count },
      (_, i) => nearestCentre(rows.features, i * width, result.model, width).cluster,
    );
    checks.push(close("adjusted Rand index", agreement(found, Array.from(labels!)), adjustedRandIndex, 5e-4));
  }
  return { checks, rounds: result.rounds.length, bytesUp: result.bytesUp };
}

/** The adjusted Rand index of two labellings: Hubert and Arabie 1985. */
function agreement(a: readonly number[], b: readonly number[]): number {
  const pairs = (count: number) => (count * (count - 1)) / 2;
  const counted = (keys: readonly (number | string)[]) => {
    const counts = new Map<number | string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return [...counts.values()].reduce((sum, count) => sum + pairs(count), 0);
  };
  const together = counted(a.map((label, i) => `${label}/${b[i]}`));
  const [inA, inB] = [counted(a), counted(b)];
  const expected = (inA * inB) / pairs(a.length);
  return (together - expected) / ((inA + inB) / 2 - expected);
}
