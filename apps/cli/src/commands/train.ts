import { type Judgement, seededRandom } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";
import { checkFits, chooseEngine, createTrainer, initialWeights } from "@tributary/training";
import { openData } from "@tributary/training/node";
import type { Command } from "commander";
import { type DataFlags, openOptions, openShards, parseShard, withDataFlags } from "../data-flags.ts";
import { UsageError } from "../exit.ts";
import { integer, real } from "../flags.ts";
import { parseModel } from "../model-flags.ts";
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
    .option("--model <preset>", "logistic | 2nn | cnn | mlp:W,…", "2nn")
    .option("--epochs <n>", "passes over the data", integer(1), 1)
    .option("--batch-size <n>", "examples per step", integer(1), 10)
    .option("--learning-rate <η>", "step size of plain SGD", real(0, 1000), 0.1)
    .option("--evaluation-data <source>", "judge the model on this set; default: the training data")
    .option("--engine <engine>", "force an engine: wasm, cpu")
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
      if (held !== undefined) checkFits(held.data, data);
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
        const judged = await trainer.evaluate({ weights: trained.weights, data: held?.dataset ?? dataset, signal });
        report(number, trained.loss, judged, flags);
      }
    });
}

async function openHeldOut(flags: Flags, source: string) {
  const { examples: _, ...options } = openOptions(flags);
  const held = await openData({ ...options, source });
  if (held.dataset.examples === 0) throw new ProtocolError("bad_data", `${source} holds no examples`);
  return held;
}

function report(device: number, trainingLoss: number, { examples, lossSum, correct }: Judgement, flags: Flags): void {
  const loss = lossSum / examples;
  const accuracy = correct / examples;
  if (flags.json) printJson({ type: "trained", device, trainingLoss, loss, accuracy, examples });
  else
    print(
      `device ${device}: training loss ${trainingLoss.toFixed(4)}, loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`,
    );
}
