import * as nodeCryptoModule from "node:crypto";
import { parseRunSpec } from "@tributary/catalog";
import { type Metrics, modelOf, ProtocolError } from "@tributary/protocol";
import { nodeCrypto } from "@tributary/secure-agg";
import { type SimulationOptions, simulate } from "@tributary/simulation";
import { chooseEngine, createTrainer, initialWeights, partition, subset } from "@tributary/training";
import { openData } from "@tributary/training/node";
import type { Setting } from "./experiment.ts";
import { federate } from "./federation.ts";

/** A run that trains layers, each model judged by the coordinator. */
export interface TrainingRun {
  readonly spec: Record<string, unknown>;
  /** Data as on the command line. */
  readonly train: string;
  readonly test: string;
  readonly devices: number;
  /** A partition by name, or, in this process alone, the rows of each device. */
  readonly partition: string | ((examples: number) => readonly Uint32Array[]);
  /**
   * The share of devices that make between 1 and `epochs` passes, drawn anew for each round. In this process anyone may
   * be one of them in any round; of real devices it is always the first ones.
   */
  readonly stragglers?: { readonly share: number; readonly epochs: number };
}

export interface TrainingOutcome {
  /** Each round's own figures and those of its model's judgement. */
  readonly rounds: readonly Metrics[];
  readonly bytesUp: number;
  readonly reason: string;
}

const processes = 4;

/** Runs it to its end: through a coordinator and device processes, or in this process. Throws for a run that failed. */
export function runTraining(run: TrainingRun, setting: Setting): Promise<TrainingOutcome> {
  return setting.inProcess ? simulateTraining(run, setting) : throughProcesses(run, setting);
}

async function throughProcesses(run: TrainingRun, { seed, say }: Setting): Promise<TrainingOutcome> {
  const { devices, stragglers, partition: how } = run;
  if (typeof how !== "string") throw new Error("devices of their own are dealt by a named partition");
  const data = ["--data", run.train, "--partition", how, "--seed", `${seed}`];
  const slow = Math.round(devices * (stragglers?.share ?? 0));
  const join = ([first, last]: readonly [number, number], ...more: string[]) =>
    first > last ? [] : [[...data, "--shard", `${first}-${last}/${devices}`, "--name", "device", ...more]];
  const edge = (i: number) => slow + Math.floor((i * (devices - slow)) / processes);
  const joins = [
    ...join([1, slow], "--epochs-at-most", `1-${stragglers?.epochs ?? 1}`),
    ...Array.from({ length: processes }, (_, i) => join([edge(i) + 1, edge(i + 1)])).flat(),
  ];
  const result = await federate({
    spec: { ...run.spec, seed },
    evaluationData: run.test,
    joins,
    onRound: ({ round, metrics, evaluation }) =>
      say(`round ${round}: ${JSON.stringify({ ...metrics, ...evaluation })}`),
  });
  const { phase, reason = phase } = result.run;
  if (phase !== "finished") throw new ProtocolError("wrong_state", `the run is ${phase}: ${reason}`);
  return {
    rounds: result.rounds.map(({ metrics, evaluation }) => ({ ...metrics, ...evaluation })),
    bytesUp: result.rounds.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
    reason,
  };
}

/** In this process; also gives the last model. */
export async function simulateTraining(
  run: TrainingRun,
  { seed, say }: Setting,
  more: Pick<SimulationOptions, "onSum"> = {},
): Promise<TrainingOutcome & { readonly model: Float32Array }> {
  const spec = parseRunSpec({ ...run.spec, seed });
  const [train, test] = await Promise.all([openData({ source: run.train }), openData({ source: run.test })]);
  const { devices: clients, stragglers, partition: how } = run;
  const parts =
    typeof how === "string"
      ? partition(how, train.labels ?? train.dataset.examples, {
          clients,
          random: seed,
          groups: train.groups,
        })
      : how(train.dataset.examples);
  const { data } = spec;
  const model = modelOf(spec);
  const { engine } = await chooseEngine({ model });
  const rounds: Metrics[] = [];
  const result = await simulate({
    spec,
    devices: parts.map((rows) => subset(train.dataset, rows)),
    trainer: await createTrainer({ model, data, engine }),
    initialModel: await initialWeights({ model, data, seed }),
    evaluationData: test.dataset,
    crypto: (randomBytes) => nodeCrypto(nodeCryptoModule, { randomBytes }),
    ...more,
    ...(stragglers === undefined
      ? {}
      : {
          epochsAtMost: (_, random) =>
            random.uniform() < stragglers.share ? 1 + random.below(stragglers.epochs) : undefined,
        }),
    onRound: ({ round, metrics }) => {
      rounds.push(metrics);
      say(`round ${round}: ${JSON.stringify(metrics)}`);
    },
  });
  const { outcome, reason, bytesUp } = result;
  if (outcome !== "finished") throw new ProtocolError("wrong_state", `the run ${outcome}: ${reason}`);
  return { rounds, bytesUp, reason, model: result.model as Float32Array };
}

/** The first round in which a metric is at least this, from 1; infinity where none is. */
export function firstRound({ rounds }: TrainingOutcome, metric: string, atLeast: number): number {
  const found = rounds.findIndex((metrics) => (metrics[metric] ?? Number.NEGATIVE_INFINITY) >= atLeast) + 1;
  return found === 0 ? Number.POSITIVE_INFINITY : found;
}

/** The mean of a metric over the last `count` rounds. */
export function meanOfLast({ rounds }: TrainingOutcome, metric: string, count: number): number {
  const last = rounds.slice(-count);
  return last.reduce((sum, metrics) => sum + (metrics[metric] ?? Number.NaN), 0) / last.length;
}

/** Softmax regression that begins at zero. */
export function zeroSoftmax(shape: readonly number[], classes: number, bias = true): object {
  const input = { batch_input_shape: [null, ...shape], dtype: "float32", trainable: true };
  const zeros = { class_name: "Zeros", config: {} };
  const dense = { name: "output", units: classes, activation: "softmax", use_bias: bias, kernel_initializer: zeros };
  const flat = shape.length === 1;
  const flatten = { class_name: "Flatten", config: { name: "flatten", ...input } };
  const output = { class_name: "Dense", config: { ...dense, ...(flat ? input : { trainable: true }) } };
  return { class_name: "Sequential", config: { name: "softmax", layers: flat ? [output] : [flatten, output] } };
}
