import { type Dataset, fewValuesOf, rowsOf, targetOf, widthOf } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import { type Command, Option } from "commander";
import type { OpenShards } from "./data-flags.ts";
import { UsageError } from "./exit.ts";
import { integer, list, real } from "./flags.ts";

/** What a command line says of the algorithms that have a model of their own. */
export interface SumFlags {
  readonly clusters?: number;
  readonly init: "first" | "sampled" | "ranges";
  readonly tolerance?: number;
  readonly minimumCount?: number;
  readonly loss?: "hinge" | "logistic" | "squared";
  readonly lambda?: number;
  readonly variant?: "cocoa" | "cocoa+";
  readonly passes?: number;
  readonly unitRows?: boolean;
  readonly intercept?: boolean;
  readonly bins?: number;
  readonly quantiles?: readonly string[];
}

/** Adds the flags of the algorithms that have a model of their own. */
export function withSumFlags(command: Command): Command {
  return command
    .option("--clusters <k>", "kmeans: how many", integer(1, 10_000))
    .addOption(
      new Option(
        "--init <how>",
        "kmeans: the first centres; first takes the first rows, which only a simulation can see",
      )
        .choices(["first", "sampled", "ranges"])
        .default("sampled"),
    )
    .option(
      "--tolerance <t>",
      "kmeans: stop when the centres move by no more (squared); cocoa: at this gap",
      real(0, 1e9),
    )
    .option("--minimum-count <n>", "withhold what fewer rows than this would show", integer(1, 1_000_000))
    .addOption(new Option("--loss <loss>", "cocoa: what is minimised").choices(["hinge", "logistic", "squared"]))
    .option("--lambda <λ>", "cocoa, ridge: the strength of λ/2 ‖w‖²", real(0, 1e6))
    .addOption(new Option("--variant <variant>", "cocoa: average the steps, or add them").choices(["cocoa", "cocoa+"]))
    .option("--passes <p>", "cocoa: local steps a round, in passes over a device's rows", real(0, 1000))
    .option("--unit-rows", "cocoa: scale every row to length 1")
    .option("--intercept", "ridge: a constant beside the features, not penalised")
    .option("--bins <n>", "statistics: bins within each feature's range", integer(2, 10_000))
    .option("--quantiles <q>", "statistics: shares from 0 to 1, separated by commas", list);
}

/** The parts of a specification that an algorithm with a model of its own needs; `rounds` is what it is given by default. */
export interface SumAlgorithm {
  readonly algorithm: Record<string, unknown>;
  readonly rounds: number;
  readonly target?: RunSpec["stop"]["target"];
}

/**
 * The algorithm that `name` asks for, with bounds that this data has; undefined for one that trains layers. `hinge` and
 * `logistic` are CoCoA with that loss.
 */
export async function sumAlgorithm(
  name: string,
  flags: SumFlags,
  shards: OpenShards,
): Promise<SumAlgorithm | undefined> {
  switch (name) {
    case "kmeans":
      return kMeans(flags, shards);
    case "cocoa":
      return cocoa(flags, flags.loss ?? (targetOf(shards.whole) === "class" ? "hinge" : "squared"), shards);
    case "hinge":
    case "logistic":
      if (flags.loss !== undefined && flags.loss !== name) throw new UsageError(`--loss ${flags.loss} is not ${name}`);
      return cocoa(flags, name, shards);
    case "ridge": {
      const { lambda, intercept } = flags;
      return inRounds({ name, ...given({ lambda, intercept }), ...(await boundsIn(shards)) }, 1);
    }
    case "statistics": {
      const { minimumCount, bins } = flags;
      const quantiles = flags.quantiles?.map(Number);
      return inRounds({ name, ...given({ minimumCount, bins, quantiles }), ...(await boundsIn(shards)) }, 2);
    }
    case "bigrams": {
      const { minimumCount } = flags;
      return inRounds({ name, ...given({ minimumCount }), maximumRows: mostRows(shards) }, 1);
    }
    default:
      return undefined;
  }
}

/** What is known after as many rounds as it has phases. */
const inRounds = (algorithm: Record<string, unknown>, rounds: number): SumAlgorithm => ({ algorithm, rounds });

const mostRows = ({ devices }: OpenShards) => Math.max(...devices.map(({ dataset }) => dataset.examples));
const boundsIn = ({ devices }: OpenShards) => boundsOf(devices.map(({ dataset }) => dataset));

async function kMeans(flags: SumFlags, shards: OpenShards): Promise<SumAlgorithm> {
  const { clusters, init, minimumCount, tolerance = 0 } = flags;
  if (clusters === undefined) throw new UsageError("kmeans needs --clusters");
  const { whole } = shards;
  if (clusters > whole.examples) throw new UsageError(`--clusters ${clusters}: the data has ${whole.examples} rows`);
  const bounds = await boundsIn(shards);
  const start = init === "first" ? { kind: "given", centres: await firstRows(whole, clusters) } : { kind: init };
  return {
    algorithm: { name: "kmeans", clusters, init: start, ...given({ minimumCount }), ...bounds },
    rounds: 300,
    target: { metric: "shift", atMost: tolerance },
  };
}

async function cocoa(flags: SumFlags, loss: string, shards: OpenShards): Promise<SumAlgorithm> {
  const { lambda, variant, passes, unitRows, tolerance = 1e-3 } = flags;
  const bounds = await boundsIn(shards);
  const largest = unitRows && loss !== "squared" ? 1 : bounds.largest;
  return {
    algorithm: { name: "cocoa", loss, ...given({ lambda, variant, passes, unitRows }), ...bounds, largest },
    rounds: 200,
    target: { metric: "gap", atMost: tolerance },
  };
}

/** The largest value and the most rows of any device, which a simulation can look up and a federation must declare. */
async function boundsOf(devices: readonly Dataset[]): Promise<{ largest: number; maximumRows: number }> {
  let [largest, maximumRows] = [Number.MIN_VALUE, 1];
  for (const data of devices) {
    const numbers = targetOf(data) === "number";
    const { values, targets } = await fewValuesOf(data, widthOf(data));
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    if (numbers) for (const value of targets) largest = Math.max(largest, Math.abs(value));
    maximumRows = Math.max(maximumRows, data.examples);
  }
  return { largest, maximumRows };
}

async function firstRows(data: Dataset, count: number): Promise<number[][]> {
  const width = widthOf(data);
  const { features } = await rowsOf(data, width);
  return Array.from({ length: count }, (_, row) => [...features.subarray(row * width, (row + 1) * width)]);
}

const given = (values: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
