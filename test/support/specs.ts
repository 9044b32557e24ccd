import { parseRunSpec } from "@tributary/catalog";
import type { ClientId, RunSpec } from "@tributary/protocol";

/** A small valid RunSpec; `changes` replace whole top-level fields. */
export function specOf(changes: Record<string, unknown> = {}): RunSpec {
  return parseRunSpec({
    name: "test",
    algorithm: { name: "fedavg", learningRate: 0.1 },
    model: { preset: "logistic" },
    data: { kind: "table", shape: [2], target: "class", classes: 2 },
    cohort: { size: 3, minimum: 2, overSelect: 1 },
    secureAggregation: "none",
    evaluation: { on: "nowhere" },
    stop: { rounds: 3 },
    ...changes,
  });
}

/** `count` client ids in ascending order. */
export function clientsNamed(count: number): ClientId[] {
  return Array.from({ length: count }, (_, i) => `client-${String(i).padStart(8, "0")}` as ClientId);
}
