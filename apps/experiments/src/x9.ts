import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Check, type Experiment, type Setting, sharedData, within } from "./experiment.ts";
import { meanOfLast, runTraining, type TrainingOutcome, type TrainingRun, zeroSoftmax } from "./training-run.ts";

/** Li et al. 2020, §5.1: 30 users, 60 features, 10 classes; a user's rows are one device's. */
interface Synthetic {
  readonly users: readonly string[];
  readonly user_data: Readonly<
    Record<string, { readonly x: readonly (readonly number[])[]; readonly y: readonly number[] }>
  >;
}

const devices = 30;
const epochs = 20;

/** Does something with the data as CSV files, each row with its user. */
export async function withSynthetic<Result>(work: (files: { train: string; test: string }) => Promise<Result>) {
  const folder = await mkdtemp(join(tmpdir(), "tributary-synthetic-"));
  try {
    const csv = async (part: "train" | "test") => {
      const packed = await readFile(join(sharedData, "synthetic-1-1", `${part}.json.gz`));
      const { users, user_data: data } = JSON.parse(gunzipSync(packed).toString()) as Synthetic;
      const features = Array.from({ length: 60 }, (_, i) => `x${i}`);
      const rows = users.flatMap((user) => data[user]!.x.map((x, i) => [user, data[user]!.y[i], ...x].join(",")));
      const path = join(folder, `${part}.csv`);
      await writeFile(path, `${[["user", "label", ...features].join(","), ...rows].join("\n")}\n`);
      const classes = Array.from({ length: 10 }, (_, i) => i).join(",");
      return `csv:${path}?target=label&group=user&classes=${classes}`;
    };
    return await work({ train: await csv("train"), test: await csv("test") });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Nine in ten of the devices that are asked make between 1 and 20 epochs; FedAvg can use none of theirs. */
export function proxRun(
  files: { train: string; test: string },
  algorithm: object,
  different: Record<string, unknown>,
): TrainingRun {
  return {
    ...files,
    devices,
    partition: "natural",
    stragglers: { share: 0.9, epochs },
    spec: {
      name: "X9",
      algorithm: { epochs, batchSize: 10, learningRate: 0.01, ...algorithm },
      model: { topology: zeroSoftmax([60], 10) },
      data: { kind: "table", shape: [60], target: "class", classes: 10 },
      cohort: { size: 10, minimum: 1, overSelect: 1, population: devices },
      deadlines: { joinMs: 60_000 },
      secureAggregation: "none",
      evaluation: { on: "coordinator" },
      ...different,
    },
  };
}

const prox = (proximal: number) => ({ name: "fedprox", proximal });

export const x9: Experiment = {
  name: "x9",
  summary:
    "FedProx on Synthetic(1,1), 90 % stragglers, μ = 1: test accuracy at round 50 of three seeds (Li et al. 2020)",
  needs: ["synthetic-1-1"],
  run: (setting) =>
    withSynthetic(async (files) => {
      const checks: Check[] = [];
      let [rounds, bytesUp] = [0, 0];
      for (let seed = setting.seed; seed < setting.seed + 3; seed++) {
        const result = await runTraining(proxRun(files, prox(1), { stop: { rounds: 50 } }), { ...setting, seed });
        const accuracy = result.rounds.at(-1)!["accuracy"]!;
        const paper = ".829, .851, .805 (reference)";
        checks.push(within(`accuracy at round 50, seed ${seed}`, accuracy, { atLeast: 0.78, paper }));
        rounds += result.rounds.length;
        bytesUp += result.bytesUp;
      }
      return { checks, rounds, bytesUp };
    }),
};

/** All 200 rounds of the three methods under the same stragglers. */
export const x9Long: Experiment = {
  name: "x9-long",
  summary: "FedProx against FedAvg on Synthetic(1,1), 90 % stragglers, 200 rounds, three seeds (Li et al. 2020)",
  needs: ["synthetic-1-1"],
  run: (setting) => withSynthetic((files) => compare(files, setting)),
};

async function compare(files: { train: string; test: string }, setting: Setting) {
  const checks: Check[] = [];
  const gains: number[] = [];
  const outcomes: TrainingOutcome[] = [];
  const last = (result: TrainingOutcome, metric: string) => {
    outcomes.push(result);
    return meanOfLast(result, metric, 20);
  };
  for (let seed = setting.seed; seed < setting.seed + 3; seed++) {
    const run = (algorithm: object) =>
      runTraining(proxRun(files, algorithm, { stop: { rounds: 200 } }), { ...setting, seed });
    const held = await run(prox(1));
    const accuracy = last(held, "accuracy");
    const loss = meanOfLast(held, "loss", 20);
    const free = last(await run(prox(0)), "accuracy");
    const dropped = last(await run({ name: "fedavg" }), "accuracy");
    gains.push(accuracy - dropped);
    const of = `seed ${seed}, last 20 rounds`;
    checks.push(
      within(`accuracy, μ = 1, ${of}`, accuracy, { atLeast: 0.88, paper: ".901, .894, .899 (reference)" }),
      within(`loss, μ = 1, ${of}`, loss, { atMost: 0.42, paper: ".377, .364, .367 (reference)" }),
      within(`accuracy of μ = 1 above FedAvg's, ${of}`, accuracy - dropped, { atLeast: 0.08 }),
      within(`accuracy, μ = 0, ${of}`, free, { atLeast: dropped, atMost: accuracy }),
    );
  }
  const mean = gains.reduce((a, b) => a + b) / gains.length;
  checks.push(within("mean gain over FedAvg", mean, { atLeast: 0.15, paper: ".22 (paper)" }));
  return {
    checks,
    rounds: outcomes.reduce((sum, { rounds }) => sum + rounds.length, 0),
    bytesUp: outcomes.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
  };
}
