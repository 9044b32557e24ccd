import { type Algorithm, exactLane, type Lane, widthOf } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import { type CocoaKept, cocoaClient, scalarLanes } from "./client.ts";
import { CocoaParameters } from "./parameters.ts";
import { type CocoaState, cocoaServer } from "./server.ts";

export type { CocoaKept } from "./client.ts";
export { losses } from "./losses.ts";
export type { CocoaParameters } from "./parameters.ts";
export { problemOf } from "./problem.ts";
export { localSdca, sumsOver } from "./solve.ts";

/** Communication-efficient dual coordinate ascent: Jaggi et al. 2014, Ma et al. 2015 (arXiv 1502.03508). */
export const cocoa: Algorithm<CocoaState, CocoaKept> = {
  name: "cocoa",
  linear: true,
  ownModel: true,
  parameters: CocoaParameters,
  element: "f64",
  faults,
  lanes(spec) {
    const { lambda, largest } = spec.algorithm as CocoaParameters;
    // |Δw| ≤ Σ |Δα| |x| / λn, and a device's rows are no more than n.
    const update = Math.max(1, largest) ** 2 / lambda;
    return [
      exactLane(spec, "update", { length: widthOf(spec.data), largest: update }),
      ...scalarLanes.map((name) => scalarLane(spec, name)),
    ];
  },
  evaluationLanes: (spec) => ["examples", "lossSum", "judged"].map((name) => scalarLane(spec, name)),
  client: cocoaClient,
  server: cocoaServer,
};

/** A row's margin is at most its length times ‖w‖, and ‖w‖² at most 2/λ times the loss at w = 0. */
function scalarLane(spec: RunSpec, name: string): Lane {
  const { lambda, largest, maximumRows, loss } = spec.algorithm as CocoaParameters;
  const counts = ["rows", "examples", "newRows", "newDevices", "lost"];
  if (counts.includes(name)) return exactLane(spec, name, { length: 1, largest: maximumRows });
  const length = Math.min(largest * Math.sqrt(widthOf(spec.data)), 1e3);
  const margin = 1 + length * Math.sqrt(2 / lambda);
  const worst = loss === "squared" ? (1 + largest) ** 2 * margin : margin;
  return exactLane(spec, name, { length: 1, largest: maximumRows * worst });
}

function faults({ algorithm, data }: RunSpec): string[] {
  const { loss } = algorithm as CocoaParameters;
  const found: string[] = [];
  if (data.target === "none") found.push("data.target: cocoa predicts a class or a number, and there is none");
  if (data.target === "class" && data.classes !== 2) {
    found.push(`data.classes: ${loss} loss tells two classes apart, not ${data.classes}`);
  }
  if (data.kind === "text" || data.kind === "ratings") {
    found.push(`data.kind: cocoa takes table, sparse or images, not ${data.kind}`);
  }
  return found;
}
