import { type ClientHalf, type Lane, metricsOf, type ServerHalf, type Total } from "@tributary/algorithm";
import type { Metrics } from "@tributary/protocol";
import { exactly } from "./lanes.ts";
import { modelIn } from "./local-training.ts";

/** Bins of the histogram of devices' own accuracies: [0, .05), … [.95, 1]. */
const bins = 20;
/** Below so many devices nothing is said of the worst among them. */
const fewestDevices = 5;

/** What judging a model on devices' own data sums up; each device puts a 1 into the bin of its own accuracy. */
export const evaluationLanes = (): readonly Lane[] => [
  exactly("examples", 0),
  exactly("lossSum", 10),
  exactly("correct", 0),
  exactly("accuracyBins", 0, bins),
];

export const evaluate: ClientHalf["evaluate"] = async ({ question, data, trainer, signal }) => {
  const { examples, lossSum, correct } = await trainer.evaluate({ weights: modelIn(question), data, signal });
  const values = new Float32Array(3 + bins);
  values.set([examples, lossSum, correct]);
  values[3 + Math.min(bins - 1, Math.floor((bins * correct) / examples))] = 1;
  return { values, weight: examples };
};

export const judge: ServerHalf["judge"] = (total, { data }) => {
  const [examples, lossSum, correct] = ["examples", "lossSum", "correct"].map((lane) => total.lanes[lane]![0]!);
  const judgement = { examples: examples!, lossSum: lossSum!, correct: correct! };
  const metrics = metricsOf(judgement, data.target);
  return data.target === "number" ? metrics : { ...metrics, ...fairness(total.lanes["accuracyBins"]!) };
};

/**
 * Per-client fairness as a histogram shows it: lower edges of the bins with the worst device and with the tenth
 * percentile (nearest rank). Nothing for so few devices that an edge would tell about single ones.
 */
function fairness(histogram: Float64Array): Metrics {
  const devices = histogram.reduce((sum, count) => sum + count, 0);
  if (devices < fewestDevices) return {};
  const edgeOf = (rank: number) => {
    const isReached = (_: number, bin: number) => histogram.subarray(0, bin + 1).reduce((a, b) => a + b) >= rank;
    return histogram.findIndex(isReached) / bins;
  };
  return { worstClientAccuracy: edgeOf(1), tenthPercentileClientAccuracy: edgeOf(Math.ceil(devices / 10)) };
}

/** What the cohort's training reported: losses, and how far the mean update goes (drift). */
export function trainingMetrics(total: Total, update: Float64Array): Metrics {
  const examples = total.lanes["examples"]![0]!;
  return {
    trainingLoss: total.lanes["lossSum"]![0]! / examples,
    trainingExamples: examples,
    updateNorm: normOf(update),
  };
}

function normOf(vector: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i]! * vector[i]!;
  return Math.sqrt(squares);
}
