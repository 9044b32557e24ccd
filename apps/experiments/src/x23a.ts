import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Experiment, type Outcome, sharedData, within } from "./experiment.ts";
import { runSums } from "./sums.ts";

/** MAPE in per cent on the year after the training data, by zone (shared/ALGORITHMS.md, X23). */
const zones = { AEP: 4.999, COMED: 5.671, DAYTON: 5.879, DEOK: 6.91, DOM: 7.503, DUQ: 5.4, EKPC: 9.494 } as const;
type Zone = keyof typeof zones;
const meanOfAll = 6.551;
const lags = [24, 25, 26, 47, 48, 72, 96, 120, 144, 167, 168, 169];
const features = lags.length + 24 + 7 + 2;
const hourMs = 3_600_000;
const trainFrom = Date.UTC(2014, 5, 1);
const testFrom = Date.UTC(2017, 7, 1);
const testTo = Date.UTC(2018, 7, 1);

export const x23a: Experiment = {
  name: "x23a",
  summary: "load a day ahead in seven zones (PJM): ridge regression by secure normal equations, MAPE zone by zone",
  needs: ["pjm-hourly"],
  async run(setting): Promise<Outcome> {
    const folder = await mkdtemp(join(tmpdir(), "tributary-x23a-"));
    try {
      const series = await Promise.all((Object.keys(zones) as Zone[]).map(readZone));
      const files = await Promise.all(series.map((zone) => writeRows(zone, folder)));
      const result = await runSums(
        {
          spec: {
            name: "X23a",
            algorithm: { name: "ridge", lambda: 1, largest: 16, maximumRows: 30_000 },
            data: { kind: "table", shape: [features], target: "number", classes: 0 },
            cohort: { size: series.length, minimum: series.length, population: series.length },
            deadlines: { joinMs: 120_000 },
            stop: { rounds: 1 },
          },
          deals: files.map((file) => ({
            source: { source: `csv:${file}`, schema: { target: "load", targetKind: "number" } },
            partition: "contiguous",
            clients: 1,
          })),
        },
        setting,
      );
      const errors = series.map((zone) => percentageError(zone, result.model));
      const close = (name: string, measured: number, expected: number) =>
        within(name, measured, { atLeast: expected - 0.01, atMost: expected + 0.01, paper: `${expected}` });
      const checks = series.map(({ zone }, i) => close(`MAPE % ${zone}`, errors[i]!, zones[zone]));
      checks.push(close("MAPE % mean", errors.reduce((sum, error) => sum + error, 0) / errors.length, meanOfAll));
      return { checks, rounds: result.rounds.length, bytesUp: result.bytesUp };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** One zone's load by the hour from `from` on, gaps filled in a straight line; `scale` is its training data's. */
interface Series {
  readonly zone: Zone;
  readonly from: number;
  readonly load: Float64Array;
  readonly mean: number;
  readonly deviation: number;
}

async function readZone(zone: Zone): Promise<Series> {
  const text = gunzipSync(await readFile(`${sharedData}/pjm-hourly/${zone}_hourly.csv.gz`)).toString();
  const known = text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [hour, load] = line.split(",");
      return { at: Date.parse(`${hour}:00:00Z`), load: Number(load) };
    });
  const from = known[0]!.at;
  const hours = (at: number) => Math.round((at - from) / hourMs);
  const load = new Float64Array(hours(known.at(-1)!.at) + 1);
  known.forEach((point, i) => {
    load[hours(point.at)] = point.load;
    const next = known[i + 1];
    if (next === undefined) return;
    const gap = hours(next.at) - hours(point.at);
    for (let j = 1; j < gap; j++) load[hours(point.at) + j] = point.load + ((next.load - point.load) * j) / gap;
  });
  const training = load.subarray(hours(trainFrom), hours(testFrom));
  const mean = training.reduce((sum, value) => sum + value, 0) / training.length;
  const variance = training.reduce((sum, value) => sum + (value - mean) ** 2, 0) / training.length;
  return { zone, from, load, mean, deviation: Math.sqrt(variance) };
}

/** What is known of an hour a day before: earlier loads, and where it is in the day, the week and the year. */
function featuresOf({ from, load, mean, deviation }: Series, hour: number): number[] {
  const at = new Date(from + hour * hourMs);
  const day =
    (Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()) - Date.UTC(at.getUTCFullYear(), 0, 0)) /
    86_400_000;
  const angle = (2 * Math.PI * day) / 365.25;
  return [
    ...lags.map((lag) => (load[hour - lag]! - mean) / deviation),
    ...oneHot(24, at.getUTCHours()),
    ...oneHot(7, at.getUTCDay()),
    Math.sin(angle),
    Math.cos(angle),
  ];
}

const oneHot = (length: number, which: number) => Array.from({ length }, (_, i) => (i === which ? 1 : 0));

async function writeRows(series: Series, folder: string): Promise<string> {
  const { zone, from, load, mean, deviation } = series;
  const header = [...Array.from({ length: features }, (_, i) => `x${i}`), "load"].join();
  const lines = [header];
  for (let hour = (trainFrom - from) / hourMs; hour < (testFrom - from) / hourMs; hour++) {
    const row = [...featuresOf(series, hour), (load[hour]! - mean) / deviation];
    lines.push(row.map((value) => Number(value.toPrecision(9))).join());
  }
  const file = join(folder, `${zone}.csv`);
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}

/** Mean absolute percentage error over the test year. */
function percentageError(series: Series, model: Float64Array): number {
  const { from, load, mean, deviation } = series;
  const [first, end] = [(testFrom - from) / hourMs, (testTo - from) / hourMs];
  let sum = 0;
  for (let hour = first; hour < end; hour++) {
    const z = featuresOf(series, hour).reduce((total, value, j) => total + value * model[j]!, 0);
    sum += Math.abs((mean + deviation * z) / load[hour]! - 1);
  }
  return (100 * sum) / (end - first);
}
