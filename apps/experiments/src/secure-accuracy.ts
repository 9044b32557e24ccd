import * as nodeCryptoModule from "node:crypto";
import { parseRunSpec } from "@tributary/catalog";
import { demoExamples, demoSpec, startChild } from "@tributary/cli";
import { nodeCrypto } from "@tributary/secure-agg";
import { simulate } from "@tributary/simulation";
import { chooseEngine, createTrainer, initialWeights, partition, subset } from "@tributary/training";
import { openData } from "@tributary/training/node";
import { type Experiment, type Outcome, type Setting, within } from "./experiment.ts";

/** The demo's own defaults (`tributary demo --help`), on a larger held-out set. */
const demo = { clients: 5, rounds: 10, epochs: 2, batchSize: 10, learningRate: 0.1, model: "2nn", data: "digits" };
const heldOut = "digits-test:5000";
const seeds = 3;

/** What one run of the demo came to. */
interface Ended {
  readonly accuracy: number;
  readonly rounds: number;
  /** Rounds in which not every device's update was summed: with two classes on each, the model misses them. */
  readonly short: number;
  readonly bytesUp: number;
}

/**
 * What hiding each update costs: the demo's run under secure aggregation against the same in the clear, three seeds each.
 * In this process both forms draw the same order of examples; processes of their own do not.
 */
export const secureAccuracy: Experiment = {
  name: "secure-accuracy",
  summary: "the demo's run, secure against plain, 5,000 held-out digits, mean of 3 seeds: within 0.5 points",
  needs: [],
  async run({ seed, inProcess, say }: Setting): Promise<Outcome> {
    const ended: Record<"plain" | "secure", Ended[]> = { plain: [], secure: [] };
    for (let n = seed; n < seed + seeds; n++) {
      for (const form of ["secure", "plain"] as const) {
        const result = await (inProcess ? simulated : throughProcesses)(n, form === "plain");
        ended[form].push(result);
        say(
          `seed ${n}, ${form}: accuracy ${result.accuracy} after ${result.rounds} rounds, ${result.short} without all devices`,
        );
      }
    }
    const means = { secure: mean(ended.secure), plain: mean(ended.plain) };
    say(`means: secure ${means.secure.toFixed(4)}, plain ${means.plain.toFixed(4)}`);
    const points = 100 * Math.abs(means.secure - means.plain);
    const all = [...ended.secure, ...ended.plain];
    return {
      checks: [within("points between secure and plain", Number(points.toFixed(3)), { atMost: 0.5 })],
      rounds: all.reduce((sum, { rounds }) => sum + rounds, 0),
      bytesUp: all.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
    };
  },
};

async function throughProcesses(seed: number, plain: boolean): Promise<Ended> {
  const flags = ["--json", "--once", "--seed", `${seed}`, "--evaluation-data", heldOut, ...(plain ? ["--plain"] : [])];
  let short = 0;
  const child = startChild(["demo", ...flags], ({ type, survivors }) => {
    if (type === "round" && survivors !== demo.clients) short++;
  });
  const summary = (await child.line("summary")) as Record<string, number>;
  await child.exited;
  const { accuracy, rounds, bytesUpPerClientPerRound } = summary;
  return { accuracy: accuracy!, rounds: rounds!, short, bytesUp: bytesUpPerClientPerRound! * demo.clients * rounds! };
}

async function simulated(seed: number, plain: boolean): Promise<Ended> {
  const [train, test] = await Promise.all([
    openData({ source: demo.data, examples: demoExamples, seed }),
    openData({ source: heldOut }),
  ]);
  const choices = { flags: { ...demo, seed, plain }, model: { preset: "2nn" as const }, data: train.data };
  const { model } = choices;
  const spec = parseRunSpec(demoSpec(choices));
  const parts = partition("dominant:2", train.labels!, { clients: demo.clients, random: seed });
  const { data } = spec;
  const { engine } = await chooseEngine({ model });
  let short = 0;
  const { metrics, rounds, bytesUp } = await simulate({
    spec,
    devices: parts.map((rows) => subset(train.dataset, rows)),
    trainer: await createTrainer({ model, data, engine }),
    initialModel: await initialWeights({ model, data, seed }),
    evaluationData: test.dataset,
    crypto: (randomBytes) => nodeCrypto(nodeCryptoModule, { randomBytes }),
    onRound: ({ survivors }) => {
      if (survivors.length < demo.clients) short++;
    },
  });
  return { accuracy: metrics["accuracy"]!, rounds, short, bytesUp };
}

function mean(ended: readonly Ended[]): number {
  return ended.reduce((sum, { accuracy }) => sum + accuracy, 0) / ended.length;
}
