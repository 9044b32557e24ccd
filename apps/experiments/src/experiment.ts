import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One thing that an experiment claims, what was expected of it and what was found. */
export interface Check {
  readonly name: string;
  readonly expected: string;
  readonly measured: number;
  readonly tolerance: string;
  readonly pass: boolean;
}

export interface Outcome {
  readonly checks: readonly Check[];
  readonly rounds: number;
  /** Bytes that devices sent in all, the frames' headers included. */
  readonly bytesUp: number;
}

export interface Setting {
  readonly seed: number;
  /** Through the simulator, in this process, rather than through a coordinator and devices of their own. */
  readonly inProcess: boolean;
  /** Tells whoever waits how it goes. */
  readonly say: (line: string) => void;
}

export interface Experiment {
  readonly name: string;
  /** What it reproduces, with its source. */
  readonly summary: string;
  /** Folders under shared/data that it needs. */
  readonly needs: readonly string[];
  run(setting: Setting): Promise<Outcome>;
}

/** Where the real data sets lie: TRIBUTARY_SHARED_DATA, or shared/data beside the checkout. */
export const sharedData =
  process.env["TRIBUTARY_SHARED_DATA"] ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url));

/** The folders that an experiment needs and that are not there. */
export function missingData(experiment: Experiment): string[] {
  return experiment.needs.map((name) => `${sharedData}/${name}`).filter((folder) => !existsSync(folder));
}

/** A check that a figure lies between two bounds, both allowed. */
export function within(
  name: string,
  measured: number,
  bounds: { atLeast?: number; atMost?: number; paper?: string },
): Check {
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY, paper } = bounds;
  const parts = [
    atLeast > Number.NEGATIVE_INFINITY ? `≥ ${atLeast}` : "",
    atMost < Number.POSITIVE_INFINITY ? `≤ ${atMost}` : "",
  ];
  const range = parts.filter((part) => part !== "").join(" and ");
  return {
    name,
    expected: paper ?? range,
    measured,
    tolerance: range,
    pass: measured >= atLeast && measured <= atMost,
  };
}
