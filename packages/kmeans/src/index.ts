import { type Algorithm, exactLane, type Lane, type ServerState, widthOf } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import { edgesOf, gridFaults } from "@tributary/statistics";
import { kMeansClient } from "./client.ts";
import { KMeansParameters } from "./parameters.ts";
import { type KMeansState, kMeansServer } from "./server.ts";

export { assignRows, clusterSums, nearestCentre } from "./assign.ts";
export type { KMeansParameters } from "./parameters.ts";

/** Parallel k-means: distributed Lloyd by sums, exact against Lloyd on all rows in one place. */
export const kMeans: Algorithm<KMeansState> = {
  name: "kmeans",
  linear: true,
  ownModel: true,
  parameters: KMeansParameters,
  element: "f64",
  faults,
  lanes,
  laterLanes,
  evaluationLanes(spec) {
    const { maximumRows } = spec.algorithm as KMeansParameters;
    return [exactLane(spec, "examples", { length: 1, largest: maximumRows }), inertiaLane(spec)];
  },
  client: kMeansClient,
  server: kMeansServer,
};

function lanes(spec: RunSpec, _parameters: number, state?: ServerState): readonly Lane[] {
  const { maximumRows, init } = spec.algorithm as KMeansParameters;
  if (init.kind !== "ranges" || state?.["seeded"] === 1) return laterLanes(spec);
  const length = widthOf(spec.data) * (edgesOf(init.grid).length - 1);
  return [exactLane(spec, "histogram", { length, largest: maximumRows })];
}

function laterLanes(spec: RunSpec): readonly Lane[] {
  const { clusters, largest, maximumRows } = spec.algorithm as KMeansParameters;
  const width = widthOf(spec.data);
  return [
    exactLane(spec, "sums", { length: clusters * width, largest: maximumRows * largest }),
    exactLane(spec, "counts", { length: clusters, largest: maximumRows }),
    inertiaLane(spec),
  ];
}

/** Rows and centres within ±largest are on average no further apart than the root of the features times `largest`. */
function inertiaLane(spec: RunSpec): Lane {
  const { largest, maximumRows } = spec.algorithm as KMeansParameters;
  return exactLane(spec, "inertia", { length: 1, largest: maximumRows * widthOf(spec.data) * largest ** 2 });
}

function faults(spec: RunSpec): string[] {
  const { clusters, init, maximumRows, minimumCount } = spec.algorithm as KMeansParameters;
  const { cohort, data } = spec;
  const width = widthOf(data);
  const found: string[] = [];
  if (data.kind !== "table" && data.kind !== "images") {
    found.push(`data.kind: kmeans takes table or images, not ${data.kind}`);
  }
  if (cohort.size !== undefined && clusters > cohort.size * maximumRows) {
    found.push(`algorithm.clusters: ${clusters} for at most ${cohort.size * maximumRows} rows in a cohort`);
  }
  if (init.kind === "sampled" && init.rows < minimumCount && spec.secureAggregation === "none") {
    found.push(
      `algorithm.init.rows: ${init.rows} rows of a device by themselves, in the clear; take at least ${minimumCount}`,
    );
  }
  if (init.kind === "ranges") found.push(...gridFaults(init.grid, "algorithm.init.grid"));
  if (init.kind !== "given") return found;
  const { centres } = init;
  if (centres.length !== clusters) found.push(`algorithm.init.centres: ${centres.length} for ${clusters} clusters`);
  const odd = centres.findIndex(({ length }) => length !== width);
  if (odd !== -1) {
    found.push(`algorithm.init.centres.${odd}: ${centres[odd]!.length} values; the data has ${width} features`);
  }
  return found;
}
