import type { DataSpec, Metrics } from "@tributary/protocol";
import type { Judgement } from "./training.ts";

/** What a judgement says of a model: its mean loss, and the share it gets right or, of numbers, the root mean square error. */
export function metricsOf({ examples, lossSum, correct }: Judgement, target: DataSpec["target"] = "class"): Metrics {
  const loss = lossSum / examples;
  return target === "number"
    ? { loss, rmse: Math.sqrt(loss), examples }
    : { loss, accuracy: correct / examples, examples };
}
