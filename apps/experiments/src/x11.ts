import { type Check, type Experiment, type Outcome, type Setting, within } from "./experiment.ts";
import { firstRound, runTraining, type TrainingRun, zeroSoftmax } from "./training-run.ts";
import { mnistRun } from "./x8.ts";

const target = 0.85;
const algorithms = { scaffold: { name: "scaffold", clients: 100 }, fedavg: { name: "fedavg" } };
type Name = keyof typeof algorithms;

/** Karimireddy et al. 2020, table 3's setting, on MNIST: 100 devices of 600 rows, 20 in each round, B = 120, η = .3. */
export function scaffoldRun(
  name: Name,
  about: { partition: string; epochs: number; stop: object },
  different: Record<string, unknown> = {},
): TrainingRun {
  const { partition, epochs, stop } = about;
  return mnistRun("X11", partition, {
    algorithm: { ...algorithms[name], epochs, batchSize: 120, learningRate: 0.3 },
    model: { topology: zeroSoftmax([28, 28, 1], 10) },
    cohort: { size: 20, minimum: 20, overSelect: 1, population: 100 },
    stop,
    ...different,
  });
}

function experiment(name: string, summary: string, epochs: readonly number[], alsoAlike: boolean): Experiment {
  return { name, summary, needs: ["mnist"], run: (setting) => compare(epochs, alsoAlike, setting) };
}

const summary = "SCAFFOLD against FedAvg, softmax on MNIST, rounds to 85 % (Karimireddy et al. 2020)";
export const x11 = experiment("x11", `${summary}: E = 1 at 0 % and 100 % similarity`, [1], true);
export const x11Long = experiment("x11-long", `${summary}: E = 5 and 10 at 0 % similarity`, [5, 10], false);

async function compare(epochs: readonly number[], alsoAlike: boolean, setting: Setting): Promise<Outcome> {
  const checks: Check[] = [];
  let [rounds, bytesUp] = [0, 0];
  const roundsOf = async (name: Name, partition: string, epochs: number) => {
    const stop = { rounds: 60, target: { metric: "accuracy", atLeast: target } };
    const result = await runTraining(scaffoldRun(name, { partition, epochs, stop }), setting);
    rounds += result.rounds.length;
    bytesUp += result.bytesUp;
    return firstRound(result, "accuracy", target);
  };
  for (const many of epochs) {
    const [own, plain] = [await roundsOf("scaffold", "sorted", many), await roundsOf("fedavg", "sorted", many)];
    const at = `E = ${many}, 0 % similarity`;
    checks.push(within(`SCAFFOLD's rounds to ${target}, ${at}`, own, { atMost: 25, paper: "14 – 17 (reference)" }));
    checks.push(within(`of FedAvg's ${plain}, ${at}`, own / plain, { atMost: 0.75, paper: ".37 – .65 (reference)" }));
  }
  if (alsoAlike) {
    const alike = [await roundsOf("scaffold", "iid", 1), await roundsOf("fedavg", "iid", 1)] as const;
    checks.push(within("rounds apart at 100 % similarity, E = 1", Math.abs(alike[0] - alike[1]), { atMost: 2 }));
  }
  return { checks, rounds, bytesUp };
}
