import type { Rows } from "@tributary/algorithm";
import { binOf } from "./grid.ts";

/** How many rows each feature has in each of its bins: features × bins. `edgesFor` gives a feature's edges. */
export function histograms(
  { features, count, width }: Rows,
  edgesFor: (feature: number) => Float64Array,
): Float64Array {
  const edges = Array.from({ length: width }, (_, feature) => edgesFor(feature));
  const bins = edges[0]!.length - 1;
  const counts = new Float64Array(width * bins);
  for (let row = 0; row < count; row++) {
    for (let j = 0; j < width; j++) counts[j * bins + binOf(edges[j]!, features[row * width + j]!)]! += 1;
  }
  return counts;
}

/** A bin of several that would each show too few rows. */
export interface MergedBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Bins with neighbours merged until each has at least `minimumCount`; law: the counts' sum stays. */
export function mergedBins(counts: ArrayLike<number>, edges: Float64Array, minimumCount: number): MergedBin[] {
  const merged: MergedBin[] = [];
  let open = { from: edges[0]!, count: 0 };
  for (let bin = 0; bin < counts.length; bin++) {
    open = { ...open, count: open.count + counts[bin]! };
    if (open.count < minimumCount) continue;
    merged.push({ ...open, to: edges[bin + 1]! });
    open = { from: edges[bin + 1]!, count: 0 };
  }
  const last = merged.at(-1);
  if (open.count > 0 && last !== undefined) {
    merged[merged.length - 1] = { from: last.from, to: edges[counts.length]!, count: last.count + open.count };
  }
  return merged;
}

/** The value below which the share `q` of the rows lies, as evenly spread within each bin. At least one bin. */
export function quantile(bins: readonly MergedBin[], q: number): number {
  const wanted = q * bins.reduce((sum, { count }) => sum + count, 0);
  let seen = 0;
  for (const { from, to, count } of bins) {
    if (seen + count >= wanted) return from + ((to - from) * (wanted - seen)) / count;
    seen += count;
  }
  return bins.at(-1)!.to;
}
