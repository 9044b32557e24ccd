import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { RunPlan, StepQuestion } from "@tributary/protocol";
import { labelledHash } from "../crypto/derive.ts";

/** All that decides what a device works out, besides its own data: its run's plan, and the question of one attempt. */
export type Task = Pick<RunPlan, "algorithm" | "model" | "data"> & Pick<StepQuestion, "settings" | "vectors">;

/**
 * The task's SHA-256 in lower-case hexadecimal. Devices that were told different settings, vectors or layers have
 * different hashes, and so no sum in common (Pasquini et al. 2022: a model made for one device finds out what it saw).
 */
export function taskHashOf({ algorithm, model, data, settings, vectors }: Task): string {
  const named = Object.entries(vectors).map(([name, { sha256, element, length }]) => [name, sha256, element, length]);
  const task = { algorithm: algorithm.name, model, data, settings, vectors: named.sort() };
  return bytesToHex(labelledHash("SA1/task", utf8ToBytes(canonicalJson(task))));
}

/** JSON with every object's members in the order of their names, so that equal values have equal texts. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
