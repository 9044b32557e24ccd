import type { ModelSpec } from "@tributary/protocol";
import { UsageError } from "./exit.ts";

/** A `--model` flag's model: `logistic`, `2nn`, `cnn`, or `mlp:32,16` with its hidden layers' widths. */
export function parseModel(text: string): ModelSpec {
  if (text === "logistic" || text === "2nn" || text === "cnn") return { preset: text };
  const widths = /^mlp:(\d+(?:,\d+)*)$/.exec(text)?.[1];
  if (widths !== undefined) return { preset: "mlp", hidden: widths.split(",").map(Number) };
  throw new UsageError(`--model ${text}: there are logistic, 2nn, cnn, and mlp:W,… with the hidden layers' widths`);
}
