/** What rows add up to, cluster by cluster. */
export interface ClusterSums {
  /** clusters × width. */
  readonly sums: Float64Array;
  readonly counts: Float64Array;
  /** Length 1: Σ ‖x − c‖². */
  readonly inertia: Float64Array;
}

/** Sums of a device's rows, all zero, as views of `values`: sums, counts, inertia, one after the other. */
export function clusterSums(values: Float64Array, clusters: number, width: number): ClusterSums {
  const counts = clusters * width;
  return {
    sums: values.subarray(0, counts),
    counts: values.subarray(counts, counts + clusters),
    inertia: values.subarray(counts + clusters, counts + clusters + 1),
  };
}

/**
 * Adds each row to the cluster of its nearest centre (Lloyd 1982), the first of several equally near; `positions` are the
 * rows to take, default all. Changes `into`, a running total.
 */
export function assignRows(
  { features, count }: { readonly features: Float64Array; readonly count: number },
  centres: Float64Array,
  { into, positions }: { into: ClusterSums; positions?: Uint32Array },
): void {
  const { sums, counts, inertia } = into;
  const clusters = counts.length;
  const width = centres.length / clusters;
  const rows = positions?.length ?? count;
  let total = 0;
  for (let i = 0; i < rows; i++) {
    const at = (positions === undefined ? i : positions[i]!) * width;
    const nearest = nearestCentre(features, at, centres, width);
    const to = nearest.cluster * width;
    for (let j = 0; j < width; j++) sums[to + j]! += features[at + j]!;
    counts[nearest.cluster]! += 1;
    total += nearest.distance;
  }
  inertia[0]! += total;
}

/** The cluster of the centre nearest to the row that begins at `at`, and its squared distance. */
export function nearestCentre(
  features: Float64Array,
  at: number,
  centres: Float64Array,
  width: number,
): { cluster: number; distance: number } {
  let cluster = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let from = 0, candidate = 0; from < centres.length; from += width, candidate++) {
    let distance = 0;
    for (let j = 0; j < width; j++) {
      const difference = features[at + j]! - centres[from + j]!;
      distance += difference * difference;
    }
    if (distance < least) {
      least = distance;
      cluster = candidate;
    }
  }
  return { cluster, distance: least };
}
