/** Cohorts above this many clients are split into independent sessions whose sums are added. */
export const shardLimit = 500;

/**
 * The sizes of a cohort's shards, as even as they get: 256 to 500 each (a little less just above a multiple of 500).
 * A shard's sum is visible to the coordinator, so every floor applies to each shard.
 */
export function shardSizes(clients: number): number[] {
  const count = Math.ceil(clients / shardLimit);
  return Array.from({ length: count }, (_, i) => Math.floor((clients + i) / count));
}
