import type { Metrics, RoundSummary, RunRecord, RunSpec } from "@tributary/protocol";
import { bytes, count, percent } from "./format.ts";

/** A run's specification; REST's records leave its type open. */
export function specOf({ spec }: RunRecord): RunSpec {
  return spec as RunSpec;
}

export function isSecure(run: RunRecord): boolean {
  return specOf(run).secureAggregation === "required";
}

/** What the rounds report by these names: of a judged model, else of its training. */
export function figureOf(round: RoundSummary, name: string): number | undefined {
  return round.evaluation?.[name] ?? round.metrics[name];
}

const isCount = (name: string) => /examples$/i.test(name);

/** Every figure that any of the rounds reports, what a reader looks for first in front, counts at the end. */
export function figureNames(rounds: readonly Pick<RoundSummary, "metrics" | "evaluation">[]): string[] {
  const names = new Set(rounds.flatMap(({ evaluation, metrics }) => Object.keys({ ...evaluation, ...metrics })));
  const rank = (name: string) => (name === "accuracy" ? 0 : name === "loss" ? 1 : isCount(name) ? 3 : 2);
  return [...names].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** The figure that stands for a run where there is room for one. */
export function leadingFigure(metrics: Metrics): [name: string, value: number] | undefined {
  const names = Object.keys(metrics).filter((name) => !isCount(name));
  const name = ["accuracy", "loss", ...names].find((known) => known in metrics);
  return name === undefined ? undefined : [name, metrics[name]!];
}

/** A figure as its kind is written: shares as percentages, counts whole, anything else to four digits. */
export function figureText(name: string, value: number | undefined): string {
  if (value === undefined) return "–";
  if (isShare(name)) return percent(value);
  if (isCount(name)) return count(value);
  if (/bytes$/i.test(name)) return bytes(value);
  return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? value.toExponential(3) : value.toFixed(4);
}

export function isShare(name: string): boolean {
  return /accuracy/i.test(name);
}

/** What a round's wall time went into. `training`: everything from the first question to the last answer but unmasking. */
export function secondsOf({ seconds, steps }: RoundSummary): Record<TimePart, number> {
  const unmasking = steps?.find(({ name }) => name === "unmask")?.seconds ?? 0;
  return {
    waiting: seconds.gathering,
    training: seconds.collecting - unmasking,
    unmasking,
    aggregation: seconds.aggregating,
    judging: seconds.evaluating,
  };
}

export const timeParts = ["waiting", "training", "unmasking", "aggregation", "judging"] as const;
export type TimePart = (typeof timeParts)[number];

/** What a run's rounds may spend time on, whether or not one did so far: what is told of them grows by nothing later. */
export function timePartsOf(run: RunRecord): TimePart[] {
  const absent = new Set<TimePart>();
  if (!isSecure(run)) absent.add("unmasking");
  if (specOf(run).evaluation.on === "nowhere") absent.add("judging");
  return timeParts.filter((part) => !absent.has(part));
}
