import * as nodeCryptoModule from "node:crypto";
import { parseRunSpec } from "@tributary/catalog";
import { modelOf } from "@tributary/protocol";
import { nodeCrypto } from "@tributary/secure-agg";
import { simulate } from "@tributary/simulation";
import { chooseEngine, createTrainer, initialWeights, partition, subset } from "@tributary/training";
import { openData } from "@tributary/training/node";
import { type Check, type Experiment, type Outcome, type Setting, sharedData, within } from "./experiment.ts";
import { federate, median, roundOverheads } from "./federation.ts";

/** McMahan et al. 2017, table 1: 2NN, IID, C = 0.1, E = 1, B = 10 reaches 97 % in 87 rounds. Our η is .2, not tuned a cell. */
const devices = 100;
const processes = 4;
const target = 0.97;

/** What X7 is run under, and how long a round may take outside its training. */
interface Form {
  readonly secureAggregation: "none" | "required";
  readonly overheadMs: number;
}
const plain: Form = { secureAggregation: "none", overheadMs: 50 };
const secure: Form = { secureAggregation: "required", overheadMs: 150 };

const specOf = ({ secureAggregation }: Form, seed: number) => ({
  name: "X7",
  algorithm: { name: "fedavg", epochs: 1, batchSize: 10, learningRate: 0.2 },
  model: { preset: "2nn" },
  data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 },
  cohort: { fraction: 0.1, minimum: 10, overSelect: 1, population: devices },
  deadlines: { joinMs: 120_000 },
  secureAggregation,
  // Every device has 600 examples, so each one's weight is the whole of it.
  secure: { weightCap: 600 },
  evaluation: { on: "coordinator" },
  stop: { rounds: 100, target: { metric: "accuracy", atLeast: target } },
  seed,
});

const summary =
  "FedAvg, 2NN on MNIST, 100 IID devices, C = .1, E = 1, B = 10: rounds to 97 % (McMahan et al. 2017, table 1: 87)";

function experiment(name: string, form: Form, what: string): Experiment {
  return {
    name,
    summary: `${what}${summary}`,
    needs: ["mnist"],
    run: (setting) => (setting.inProcess ? simulated(form, setting) : throughProcesses(form, setting)),
  };
}

export const x7 = experiment("x7", plain, "");
export const x7Secure = experiment("x7-secure", secure, "under secure aggregation: ");

async function throughProcesses(form: Form, { seed, say }: Setting): Promise<Outcome> {
  const each = devices / processes;
  const joins = Array.from({ length: processes }, (_, i) => [
    ...["--data", `mnist:${sharedData}/mnist`, "--partition", "iid", "--seed", `${seed}`],
    ...["--shard", `${i * each + 1}-${(i + 1) * each}/${devices}`, "--name", "x7"],
  ]);
  const result = await federate({
    spec: specOf(form, seed),
    evaluationData: `mnist-test:${sharedData}/mnist`,
    joins,
    onRound: ({ round, evaluation, seconds }) =>
      say(`round ${round}: accuracy ${evaluation?.["accuracy"]}, ${seconds.collecting.toFixed(2)} s of training`),
  });
  const overheads = roundOverheads(result);
  return {
    checks: [
      ...roundChecks(result.rounds.map(({ evaluation }) => evaluation?.["accuracy"] ?? 0)),
      within("median milliseconds of a round outside its training", median(overheads), { atMost: form.overheadMs }),
    ],
    rounds: result.rounds.length,
    bytesUp: result.rounds.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
  };
}

async function simulated(form: Form, { seed, say }: Setting): Promise<Outcome> {
  const spec = parseRunSpec(specOf(form, seed));
  const [train, test] = await Promise.all([
    openData({ source: `mnist:${sharedData}/mnist` }),
    openData({ source: `mnist-test:${sharedData}/mnist` }),
  ]);
  const parts = partition("iid", train.labels ?? train.dataset.examples, { clients: devices, random: seed });
  const { data } = spec;
  const model = modelOf(spec);
  const { engine } = await chooseEngine({ model });
  const accuracies: number[] = [];
  const result = await simulate({
    spec,
    devices: parts.map((rows) => subset(train.dataset, rows)),
    trainer: await createTrainer({ model, data, engine }),
    initialModel: await initialWeights({ model, data, seed }),
    evaluationData: test.dataset,
    crypto: (randomBytes) => nodeCrypto(nodeCryptoModule, { randomBytes }),
    onRound: ({ round, metrics }) => {
      accuracies.push(metrics["accuracy"] ?? 0);
      say(`round ${round}: accuracy ${metrics["accuracy"]}`);
    },
  });
  return { checks: roundChecks(accuracies), rounds: result.rounds, bytesUp: result.bytesUp };
}

/** The first round whose accuracy is at the target: no interpolation. Fewer than 20 would mean that test data leaked. */
function roundChecks(accuracies: readonly number[]): Check[] {
  const first = accuracies.findIndex((accuracy) => accuracy >= target) + 1;
  const rounds = first === 0 ? Number.POSITIVE_INFINITY : first;
  return [within(`rounds to ${target}`, rounds, { atLeast: 20, atMost: 40, paper: "87 (paper)" })];
}
