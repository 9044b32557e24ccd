import * as nodeCryptoModule from "node:crypto";
import { readFile } from "node:fs/promises";
import { seededRandom } from "@tributary/algorithm";
import { parseRunSpec } from "@tributary/catalog";
import type { RunSpec } from "@tributary/protocol";
import { nodeCrypto } from "@tributary/secure-agg";
import { type SimulatedRound, simulate } from "@tributary/simulation";
import { checkFits, chooseEngine, createTrainer, initialWeights } from "@tributary/training";
import { openData } from "@tributary/training/node";
import type { Command } from "commander";
import { type DataFlags, openOptions, openShards, withDataFlags } from "../data-flags.ts";
import { UsageError } from "../exit.ts";
import { integer, real } from "../flags.ts";
import { parseModel } from "../model-flags.ts";
import { bytesText, metricText, print, printJson } from "../output.ts";

interface Flags extends DataFlags {
  readonly clients: number;
  readonly algorithm: string;
  readonly model: string;
  readonly rounds: number;
  readonly fraction: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly evaluationData?: string;
  readonly dropRate: number;
  readonly spread: number;
  readonly plain?: boolean;
  readonly engine?: string;
  readonly json?: boolean;
}

export function addSimulateCommand(program: Command): void {
  withDataFlags(
    program
      .command("simulate [spec.json]")
      .description(
        "Run a whole federation in this process under virtual time; one seed gives one model, byte for byte.",
      ),
  )
    .option("--clients <n>", "devices the data is dealt to", integer(1, 1_000_000), 10)
    .option("--algorithm <name>", "without a spec: the algorithm", "fedavg")
    .option("--model <preset>", "without a spec: logistic | 2nn | cnn | mlp:W,…", "2nn")
    .option("--rounds <n>", "without a spec: rounds", integer(1), 10)
    .option("--fraction <c>", "without a spec: share of the devices asked in a round", real(0, 1), 1)
    .option("--epochs <n>", "without a spec: local epochs", integer(1), 1)
    .option("--batch-size <n>", "without a spec: local batch size", integer(1), 10)
    .option("--learning-rate <η>", "without a spec: local learning rate", real(0, 1000), 0.1)
    .option("--evaluation-data <source>", "the held-out set for evaluation.on: coordinator")
    .option("--drop-rate <p>", "the chance that a device leaves in the middle of a step", real(0, 1), 0)
    .option("--spread <σ>", "how much devices differ in speed: log-normal with this σ", real(0, 10), 0)
    .option("--plain", "without a spec: combine updates in the clear instead of under secure aggregation")
    .option("--engine <engine>", "force an engine: wasm, cpu")
    .option("--json", "print one JSON object a line, the last with type summary")
    .action(async (file: string | undefined, flags: Flags) => {
      const shards = await openShards(flags, { first: 1, last: flags.clients, of: flags.clients });
      const spec = parseRunSpec(file === undefined ? specFrom(flags, shards.data) : await readSpec(file));
      checkFits(shards.data, spec.data);
      const { model, data, seed } = spec;
      if (model.weights !== undefined)
        throw new UsageError("a simulation starts from the seed, not from model.weights");
      const { engine, reason } = await chooseEngine({ force: flags.engine, model });
      if (!flags.json) print(`${shards.describe}; ${flags.clients} devices; engine ${engine} (${reason})`);
      const evaluation = await heldOut(flags, spec);
      const devices = shards.devices.map(({ dataset }) => dataset);
      const speeds = devices.map((_, i) => Math.exp(flags.spread * seededRandom(seed, `speed/${i}`).normal()));
      const started = performance.now();
      const result = await simulate({
        spec,
        devices,
        trainer: await createTrainer({ model, data, engine }),
        initialModel: await initialWeights({ model, data, seed }),
        ...(evaluation === undefined ? {} : { evaluationData: evaluation }),
        dropRate: flags.dropRate,
        crypto: (randomBytes) => nodeCrypto(nodeCryptoModule, { randomBytes }),
        workMs: (device, dataset) => dataset.examples * speeds[device]!,
        onRound: (round) => (flags.json ? printJson({ type: "round", ...round }) : print(roundText(round))),
      });
      const { model: _, metrics, ...figures } = result;
      const seconds = (performance.now() - started) / 1000;
      if (flags.json) printJson({ type: "summary", ...metrics, ...figures, engine, seed, seconds });
      else {
        print(`${result.outcome}: ${result.reason}`);
        print(`model ${result.modelSha256}`);
      }
      if (result.outcome === "failed") process.exitCode = 1;
    });
}

function specFrom(flags: Flags, data: RunSpec["data"]): unknown {
  const { algorithm: name, epochs, batchSize, learningRate, fraction, rounds, seed, clients } = flags;
  return {
    name: `simulation of ${name}`,
    algorithm: { name, epochs, batchSize, learningRate },
    model: parseModel(flags.model),
    data,
    cohort: { size: Math.max(1, Math.round(fraction * clients)), minimum: flags.plain ? 1 : 3, overSelect: 1 },
    secureAggregation: flags.plain ? "none" : "required",
    evaluation: { on: flags.evaluationData === undefined && flags.data !== "digits" ? "clients" : "coordinator" },
    stop: { rounds },
    seed,
  };
}

async function readSpec(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new UsageError(`cannot read the specification ${file}: ${error.message}`);
  });
  try {
    return JSON.parse(text);
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
  checkFits(held.data, spec.data);
  return held.dataset;
}

function roundText({ round, survivors, cohort, metrics, bytesUp, atMs }: SimulatedRound): string {
  return [
    `round ${String(round).padStart(3)}`,
    `${survivors.length}/${cohort.length} clients`,
    `loss ${metricText(metrics["loss"] ?? metrics["trainingLoss"])}`,
    `accuracy ${metricText(metrics["accuracy"])}`,
    `↑ ${bytesText(bytesUp)}`,
    `${(atMs / 1000).toFixed(1)} virtual s`,
  ].join("  ");
}
