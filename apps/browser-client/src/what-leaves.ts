import type { OpenRun } from "./open-runs.ts";
import { words } from "./words.ts";

const { does, judges, leaves, stays, guards } = words.about;
type Does = keyof typeof does;

/** What a device of each algorithm sends in a round. One that this page knows nothing of is said to be unknown. */
const sends: Readonly<Record<string, Does>> = {
  fedavg: "training",
  fedprox: "training",
  fednova: "training",
  fedsgd: "gradient",
  scaffold: "controlled",
  cocoa: "duals",
  kmeans: "clusters",
  ridge: "products",
  statistics: "histograms",
  bigrams: "pairs",
};

/** Algorithms whose devices send sums over rows: a sum over one row is that row. */
const sums: ReadonlySet<Does | undefined> = new Set<Does>(["clusters", "products", "histograms", "pairs"]);

/** What leaves this device in a run, one sentence each. */
export function leavesOf({ algorithm, sampled, secure, judged, data }: OpenRun): readonly string[] {
  const { each, first, judgement, progress, device } = leaves;
  const kind = sends[algorithm];
  const what = kind === undefined ? leaves.unknown(algorithm) : does[kind];
  const how = secure ? leaves.masked : leaves.clear;
  const figures = kind === "clusters" ? judges.clusters : data.target === "class" ? judges.answers : judges.losses;
  return [
    each(what, how),
    ...(sampled === undefined ? [] : [first(sampled, how)]),
    ...(judged ? [judgement(figures, how)] : []),
    progress,
    device,
  ];
}

/** What does not leave it. */
export function staysOf({ algorithm }: OpenRun): readonly string[] {
  const kind = sends[algorithm];
  const own = kind === undefined ? [] : sums.has(kind) ? stays.ofSums : stays.ofTraining;
  return [...own, stays.names];
}

/** What keeps it from being read; `roster`: only devices on the operator's count. */
export function guardsOf(
  { algorithm, secure, clip, minimumSurvivors }: OpenRun,
  { roster }: { roster: boolean },
): readonly string[] {
  const { none, rows, sum, smallest, clipped, noNoise } = guards;
  if (!secure) return [none, ...(sums.has(sends[algorithm]) ? [rows] : []), noNoise];
  return [
    `${sum} ${roster ? words.trust.roster : words.trust.nobody}`,
    smallest(minimumSurvivors),
    ...(clip === undefined ? [] : [clipped(clip)]),
    noNoise,
  ];
}
