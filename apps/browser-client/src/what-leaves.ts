import { parse } from "@tributary/protocol";
import Type from "typebox";
import type { OpenRun } from "./open-runs.ts";
import { words } from "./words.ts";

const { does, judges, leaves, stays, guards } = words.about;
type Does = keyof typeof does;

/** What a device of each algorithm sends in a round. One that this page knows nothing of is said to be unknown. */
const sends: Readonly<Record<string, Does>> = {
  fedavg: "training",
  fedprox: "training",
  fednova: "steps",
  fedsgd: "gradient",
  scaffold: "controlled",
  cocoa: "duals",
  kmeans: "clusters",
  ridge: "products",
  statistics: "histograms",
  bigrams: "pairs",
};

/** Algorithms whose devices send sums over rows: a sum over one row is that row. */
const sums = ["clusters", "products", "histograms", "pairs"] as const satisfies readonly Does[];
type Sum = (typeof sums)[number];
const isSum = (kind: Does | undefined): kind is Sum => sums.includes(kind as Sum);

/** The part of the algorithms' parameters that says how far a device's data can count. */
const Bounds = Type.Object({
  epochs: Type.Optional(Type.Integer()),
  batchSize: Type.Optional(Type.Union([Type.Integer(), Type.Literal("all")])),
  clip: Type.Optional(Type.Number()),
  controlClip: Type.Optional(Type.Number()),
  minimumCount: Type.Optional(Type.Number()),
  largest: Type.Optional(Type.Number()),
  maximumRows: Type.Optional(Type.Number()),
  init: Type.Optional(Type.Object({ kind: Type.String() })),
});
const boundsOf = ({ spec }: OpenRun) => parse(Bounds, spec.algorithm, { what: "the run's algorithm" });

/** What leaves this device in a run, one sentence each. */
export function leavesOf(run: OpenRun): readonly string[] {
  const { algorithm, sampled, secure, judged, data } = run;
  const { each, first, ranges, judgement, progress, device } = leaves;
  const kind = sends[algorithm];
  const what = kind === undefined ? leaves.unknown(algorithm) : does[kind];
  const how = secure ? leaves.masked : leaves.clear;
  const figures = kind === "clusters" ? judges.clusters : data.target === "class" ? judges.answers : judges.losses;
  return [
    each(what, how),
    ...(sampled === undefined ? [] : [first(sampled, how)]),
    ...(boundsOf(run).init?.kind === "ranges" ? [ranges(how)] : []),
    ...(judged ? [judgement(figures, how)] : []),
    progress,
    device,
  ];
}

/** What does not leave it. */
export function staysOf({ algorithm }: OpenRun): readonly string[] {
  const kind = sends[algorithm];
  const own = kind === undefined ? [] : isSum(kind) ? stays.ofSums : stays.ofTraining;
  return [...own, stays.names];
}

/**
 * What keeps it from being read. `roster`: only devices on the operator's count; `examples`: how many this device has, once
 * that is known.
 */
export function guardsOf(
  run: OpenRun,
  { roster, examples }: { roster: boolean; examples?: number | undefined },
): readonly string[] {
  const { none, rows, sum, smallest, few, withheld, bounded, noNoise } = guards;
  const { algorithm, secure, minimumSurvivors } = run;
  const { minimumCount, largest, maximumRows } = boundsOf(run);
  const kind = sends[algorithm];
  const left = minimumCount === undefined || minimumCount < 2 ? [] : [withheld(minimumCount)];
  if (!secure) return [none, ...(isSum(kind) ? [rows] : []), ...left, noNoise];
  const hasBounds = largest !== undefined && maximumRows !== undefined;
  return [
    `${sum} ${roster ? words.trust.roster : words.trust.nobody}`,
    smallest(minimumSurvivors),
    ...(isSum(kind) ? [few[kind]] : []),
    ...left,
    ...(hasBounds ? [bounded(largest, maximumRows)] : []),
    ...(isSum(kind) || kind === undefined ? [] : [clippingOf(run, kind, examples)]),
    noNoise,
  ];
}

/** How far one device can move the model. */
function clippingOf(run: OpenRun, kind: Exclude<Does, Sum>, examples: number | undefined): string {
  const { clip, controlClip, epochs = 1, batchSize = "all" } = boundsOf(run);
  if (clip === undefined) return guards.unclipped;
  if (kind === "controlled" && controlClip !== undefined) return guards.clippedControl(clip, controlClip);
  if (kind !== "steps") return guards.clipped(clip);
  if (examples === undefined) return guards.clippedSteps(clip, undefined);
  return guards.clippedSteps(clip, epochs * (batchSize === "all" ? 1 : Math.ceil(examples / batchSize)));
}
