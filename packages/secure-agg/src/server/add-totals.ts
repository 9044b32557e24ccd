import type { SecureTotal } from "../encoding/decode-sum.ts";

/** The shards' totals as one: means weighted by each shard's weight, sums added. */
export function addTotals(totals: readonly SecureTotal[], isMean: (lane: string) => boolean): SecureTotal {
  const [first, ...rest] = totals;
  if (first === undefined) throw new Error("no shard has a total");
  if (rest.length === 0) return first;
  const weight = totals.reduce((sum, total) => sum + total.weight, 0);
  const lanes = Object.keys(first.lanes).map((name) => {
    const sum = new Float64Array(first.lanes[name]!.length);
    for (const total of totals) {
      const factor = isMean(name) ? total.weight / weight : 1;
      total.lanes[name]!.forEach((value, i) => {
        sum[i]! += factor * value;
      });
    }
    return [name, sum] as const;
  });
  const contributors = totals.reduce((sum, total) => sum + total.contributors, 0);
  return { lanes: Object.fromEntries(lanes), weight, contributors };
}
