import type { ModelSpec } from "@tributary/protocol";
import { UsageError } from "./exit.ts";

/**
 * A `--model` flag's model: `logistic`, `2nn`, `cnn`, `mlp:32,16` with its hidden layers' widths, `char-gru[:UNITS]` or
 * `matrix-factorization[:FACTORS]`.
 */
export function parseModel(text: string): ModelSpec {
  const [preset, width, ...rest] = text.split(":");
  if (rest.length === 0 && (width === undefined || /^\d+$/.test(width))) {
    const size = width === undefined ? undefined : Number(width);
    if (preset === "char-gru") return { preset, embedding: 8, units: size ?? 64 };
    if (preset === "matrix-factorization") return { preset, factors: size ?? 8 };
  }
  if (text === "logistic" || text === "2nn" || text === "cnn") return { preset: text };
  const widths = /^mlp:(\d+(?:,\d+)*)$/.exec(text)?.[1];
  if (widths !== undefined) return { preset: "mlp", hidden: widths.split(",").map(Number) };
  throw new UsageError(`--model ${text}: there are ${modelChoices}`);
}

/** What `--model` takes, for help and errors. */
export const modelChoices =
  "logistic, 2nn, cnn, mlp:W,… (hidden layers' widths), char-gru[:UNITS], matrix-factorization[:FACTORS]";
