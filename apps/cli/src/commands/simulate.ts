import * as nodeCryptoModule from "node:crypto";
import { readFile } from "node:fs/promises";
import { seededRandom } from "@tributary/algorithm";
import { algorithmNamed, parseRunSpec } from "@tributary/catalog";
import type { RunSpec } from "@tributary/protocol";
import { nodeCrypto } from "@tributary/secure-agg";
import { type SimulatedRound, simulate } from "@tributary/simulation";
import { chooseEngine, createTrainer, fitData, initialWeights } from "@tributary/training";
import { openData } from "@tributary/training/node";
import type { Command } from "commander";
import { type DataFlags, engineFlag, type OpenShards, openOptions, openShards, withDataFlags } from "../data-flags.ts";
import { UsageError } from "../exit.ts";
import { integer, real } from "../flags.ts";
import { modelChoices, parseModel } from "../model-flags.ts";
import { bytesText, metricsText, print, printJson } from "../output.ts";
import { type SumFlags, sumAlgorithm, withSumFlags } from "../sum-algorithms.ts";

interface Flags extends DataFlags, SumFlags {
  readonly clients: number;
  readonly algorithm: string;
  readonly model: string;
  readonly rounds?: number;
  readonly fraction: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly evaluationData?: string;
  readonly drop: number;
  readonly spread: number;
  readonly secure?: boolean;
  readonly plain?: boolean;
  readonly engine?: string;
  readonly json?: boolean;
}

export function addSimulateCommand(program: Command): void {
  const command = program
    .command("simulate [spec.json]")
    .description("Run a whole federation in this process under virtual time; one seed gives one model, byte for byte.");
  withSumFlags(withDataFlags(command))
    .option("--clients <n>", "devices the data is dealt to", integer(1, 1_000_000), 10)
    .option("--algorithm <name>", "without a spec: the algorithm", "fedavg")
    .option("--model <preset>", `without a spec: ${modelChoices}`, "2nn")
    .option(
      "--rounds <n>",
      "without a spec: rounds at most; default 10, or more where the algorithm stops by itself",
      integer(1),
    )
    .option("--fraction <c>", "without a spec: share of the devices asked in a round", real(0, 1), 1)
    .option("--epochs <n>", "without a spec: local epochs", integer(1), 1)
    .option("--batch-size <n>", "without a spec: local batch size", integer(1), 10)
    .option("--learning-rate <η>", "without a spec: local learning rate", real(0, 1000), 0.1)
    .option("--evaluation-data <source>", "the held-out set for evaluation.on: coordinator")
    .option("--drop <p>", "the chance that a device leaves in the middle of a step", real(0, 1), 0)
    .option("--spread <σ>", "how much devices differ in speed: log-normal with this σ", real(0, 10), 0)
    .option("--secure", "combine updates under secure aggregation, whatever the spec says; without a spec, the default")
    .option("--plain", "combine updates in the clear, whatever the spec says")
    .addOption(engineFlag())
    .option("--json", "print one JSON object a line, the last with type summary")
    .action(async (file: string | undefined, flags: Flags) => {
      const shards = await openShards(flags, { first: 1, last: flags.clients, of: flags.clients });
      const spec = parseRunSpec(
        withProtection(flags, file === undefined ? await specFrom(flags, shards) : await readSpec(file)),
      );
      const { seed } = spec;
      const layers = await layersOf(spec, flags.engine);
      if (!flags.json) print(`${shards.describe}; ${flags.clients} devices; ${layers.describe}`);
      const evaluation = await heldOut(flags, spec);
      const devices = shards.devices.map(({ dataset }) => fitData({ dataset, data: shards.data }, spec.data));
      const speeds = devices.map((_, i) => Math.exp(flags.spread * seededRandom(seed, `speed/${i}`).normal()));
      const started = performance.now();
      const result = await simulate({
        spec,
        devices,
        ...layers.options,
        ...(evaluation === undefined ? {} : { evaluationData: evaluation }),
        dropRate: flags.drop,
        crypto: (randomBytes) => nodeCrypto(nodeCryptoModule, { randomBytes }),
        workMs: (device, dataset) => dataset.examples * speeds[device]!,
        onRound: (round) => (flags.json ? printJson({ type: "round", ...round }) : print(roundText(round))),
      });
      const { model, metrics, ...figures } = result;
      const seconds = (performance.now() - started) / 1000;
      if (flags.json)
        printJson({
          type: "summary",
          ...metrics,
          ...figures,
          ...learnt(spec, model),
          engine: layers.engine,
          seed,
          seconds,
        });
      else {
        print(`${result.outcome}: ${result.reason}`);
        print(`model ${result.modelSha256}`);
      }
      if (result.outcome === "failed") process.exitCode = 1;
    });
}

/** The specification with what the command line says of secure aggregation. */
function withProtection({ secure, plain }: Flags, spec: object): object {
  if (secure && plain) throw new UsageError("give either --secure or --plain");
  if (secure) return { ...spec, secureAggregation: "required" };
  return plain ? { ...spec, secureAggregation: "none" } : spec;
}

async function specFrom(flags: Flags, shards: OpenShards): Promise<object> {
  const { algorithm: name, epochs, batchSize, learningRate, fraction, seed, clients } = flags;
  const { data, devices } = shards;
  const sum = await sumAlgorithm(name, flags, shards);
  const judged = flags.evaluationData === undefined && flags.data !== "digits" ? "clients" : "coordinator";
  const { rounds = sum?.rounds ?? 10 } = flags;
  return {
    name: `simulation of ${name}`,
    ...(sum === undefined
      ? { algorithm: { name, epochs, batchSize, learningRate }, model: parseModel(flags.model) }
      : { algorithm: sum.algorithm }),
    data,
    cohort: { size: Math.max(1, Math.round(fraction * clients)), minimum: flags.plain ? 1 : 3, overSelect: 1 },
    // Every example of every device counts.
    secure: { weightCap: Math.max(1, ...devices.map(({ dataset }) => dataset.examples)) },
    // An algorithm with a model of its own says each round how good it is.
    evaluation: { on: sum !== undefined && flags.evaluationData === undefined ? "nowhere" : judged },
    stop: { rounds, ...(sum?.target === undefined ? {} : { target: sum.target }) },
    seed,
  };
}

/** What a run that trains layers needs beside its data: a trainer on the best engine here, and weights to start from. */
async function layersOf({ model, data, seed }: RunSpec, force: string | undefined) {
  if (model === undefined) return { engine: "none", describe: "no layers to train", options: {} };
  if (model.weights !== undefined) throw new UsageError("a simulation starts from the seed, not from model.weights");
  const { engine, reason } = await chooseEngine({ force, model });
  const [trainer, initialModel] = await Promise.all([
    createTrainer({ model, data, engine }),
    initialWeights({ model, data, seed }),
  ]);
  return { engine, describe: `engine ${engine} (${reason})`, options: { trainer, initialModel } };
}

/** What an algorithm without layers has learnt, where a line has room for it. */
function learnt(spec: RunSpec, model: Float32Array | Float64Array): { learnt?: object } {
  const { describe } = algorithmNamed(spec.algorithm.name).server;
  if (describe === undefined || !(model instanceof Float64Array) || model.length > 10_000) return {};
  return { learnt: describe(model, spec) };
}

async function readSpec(file: string): Promise<object> {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new UsageError(`cannot read the specification ${file}: ${error.message}`);
  });
  try {
    return Object(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`);
  }
}

/** The held-out set that the spec wants: the one named, or the generator's own for the generator's digits. */
async function heldOut(flags: Flags, spec: RunSpec) {
  if (spec.evaluation.on !== "coordinator") return undefined;
  const source = flags.evaluationData ?? (flags.data === "digits" ? "digits-test" : undefined);
  if (source === undefined) {
    throw new UsageError("evaluation.on is coordinator: name the held-out set with --evaluation-data");
  }
  const { examples: _, ...options } = openOptions(flags);
  const held = await openData({ ...options, source });
  return fitData(held, spec.data);
}

function roundText({ round, survivors, cohort, metrics, bytesUp, atMs }: SimulatedRound): string {
  return [
    `round ${String(round).padStart(3)}`,
    `${survivors.length}/${cohort.length} clients`,
    metricsText(metrics),
    `↑ ${bytesText(bytesUp)}`,
    `${(atMs / 1000).toFixed(1)} virtual s`,
  ].join("  ");
}
