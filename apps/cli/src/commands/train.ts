import { metricsOf, seededRandom } from "@tributary/algorithm";
import { type Metrics, ProtocolError } from "@tributary/protocol";
import { chooseEngine, createTrainer, fitData, initialWeights } from "@tributary/training";
import { openData } from "@tributary/training/node";
import type { Command } from "commander";
import { type DataFlags, engineFlag, openOptions, openShards, parseShard, withDataFlags } from "../data-flags.ts";
import { UsageError } from "../exit.ts";
import { integer, real } from "../flags.ts";
import { modelChoices, parseModel } from "../model-flags.ts";
import { print, printJson } from "../output.ts";

interface Flags extends DataFlags {
  readonly shard: string;
  readonly model: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly evaluationData?: string;
  readonly engine?: string;
  readonly json?: boolean;
}

export function addTrainCommand(program: Command): void {
  withDataFlags(
    program
      .command("train")
      .description("Train on this machine's own data alone: what a device reaches without a federation."),
  )
    .option("--shard <which>", "I/N or I-J/N: each device of the shard trains a model of its own", "1/1")
    .option("--model <preset>", modelChoices, "2nn")
    .option("--epochs <n>", "passes over the data", integer(1), 1)
    .option("--batch-size <n>", "examples per step", integer(1), 10)
    .option("--learning-rate <η>", "step size of plain SGD", real(0, 1000), 0.1)
    .option("--evaluation-data <source>", "judge the model on this set; default: the training data")
    .addOption(engineFlag())
    .option("--json", "print one JSON object a line")
    .action(async (flags: Flags) => {
      if (flags.learningRate === 0) throw new UsageError("--learning-rate must be above 0");
      const model = parseModel(flags.model);
      const shards = await openShards(flags, parseShard(flags.shard));
      const { data } = shards;
      const { engine, reason } = await chooseEngine({ force: flags.engine, model });
      if (!flags.json) print(`${shards.describe}; engine ${engine} (${reason})`);
      const trainer = await createTrainer({ model, data, engine });
      const held = flags.evaluationData === undefined ? undefined : await openHeldOut(flags, flags.evaluationData);
      const signal = new AbortController().signal;
      for (const { number, dataset } of shards.devices) {
        const weights = await initialWeights({ model, data, seed: flags.seed });
        const { epochs, batchSize, learningRate } = flags;
        const random = seededRandom(flags.seed, `train/${number}`);
        const trained = await trainer.train({
          weights,
          data: dataset,
          epochs,
          batchSize,
          learningRate,
          random,
          signal,
        });
        const judged = await trainer.evaluate({
          weights: trained.weights,
          data: held === undefined ? dataset : fitData(held, data),
          signal,
        });
        report(number, { trainingLoss: trained.loss, ...metricsOf(judged, data.target) }, flags);
      }
    });
}

async function openHeldOut(flags: Flags, source: string) {
  const { examples: _, ...options } = openOptions(flags);
  const held = await openData({ ...options, source });
  if (held.dataset.examples === 0) throw new ProtocolError("bad_data", `${source} holds no examples`);
  return held;
}

function report(device: number, figures: Metrics, flags: Flags): void {
  if (flags.json) printJson({ type: "trained", device, ...figures });
  else {
    const { examples: _, ...shown } = figures;
    const words = Object.entries(shown).map(([name, value]) => `${names[name] ?? name} ${value!.toFixed(4)}`);
    print(`device ${device}: ${words.join(", ")}`);
  }
}

const names: Readonly<Record<string, string>> = { trainingLoss: "training loss", rmse: "root mean square error" };
