import { isDeepStrictEqual } from "node:util";
import { type Check, type Experiment, type Setting, within } from "./experiment.ts";
import { simulateTraining, type TrainingRun } from "./training-run.ts";
import { runOf } from "./x1.ts";
import { proxRun, withSynthetic } from "./x9.ts";
import { optimizedRun } from "./x10.ts";
import { scaffoldRun } from "./x11.ts";

const secure = { secureAggregation: "required" };
const rounds = 10;

export const x3: Experiment = {
  name: "x3",
  summary:
    "secure sums: X1 equals its plain form; in X9, X10 and X11 each opened sum is that of the encoded contributions",
  needs: ["a9a", "mnist", "synthetic-1-1"],
  run: (setting) =>
    withSynthetic(async (files) => {
      const all = { size: 10, minimum: 3, overSelect: 1 };
      const stop = { rounds };
      const audited = [
        await audit("X9", proxRun(files, { name: "fedprox", proximal: 1 }, { ...secure, cohort: all, stop }), setting),
        await audit(
          "X10",
          optimizedRun({ optimizer: "adagrad", learningRate: 0.1, beta1: 0.9 }, rounds, secure),
          setting,
        ),
        await audit("X11", scaffoldRun("scaffold", { partition: "sorted", epochs: 1, stop }, secure), setting),
      ];
      return {
        checks: [await againstPlain(setting), ...audited.flatMap(({ checks }) => checks)],
        rounds: audited.length * rounds,
        bytesUp: audited.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
      };
    }),
};

/** The comparison needs what no coordinator has, every device's own contribution: in this process only. */
async function audit(name: string, run: TrainingRun, setting: Setting) {
  let [sums, equal] = [0, 0];
  const { bytesUp } = await simulateTraining(run, setting, {
    onSum: ({ opened, added }) => {
      sums++;
      if (isDeepStrictEqual({ ...opened }, { ...added })) equal++;
    },
  });
  setting.say(`${name}: ${equal} of ${sums} sums are the encoded contributions' own`);
  const checks: Check[] = [
    within(`sums of ${name}`, sums, { atLeast: rounds }),
    within(`sums of ${name} that differ from the devices' own`, sums - equal, { atMost: 0 }),
  ];
  return { checks, bytesUp };
}

/** 48-bit integers with 24 places: each device's rounding is at most 2^−25 of a row's gradient sum. */
async function againstPlain(setting: Setting): Promise<Check> {
  const models = [];
  for (const form of [{}, secure]) models.push((await simulateTraining(runOf(4, 10, form), setting)).model);
  const [plain, hidden] = models as [Float32Array, Float32Array];
  const apart = plain.reduce((most, weight, i) => Math.max(most, Math.abs(weight - hidden[i]!)), 0);
  return within("largest difference of X1's weights from its plain form, 11 steps", apart, { atMost: 1e-6 });
}
