import type { Lane } from "@tributary/algorithm";

/** Numbers that are added as they are, with `scaleBits` binary places under secure aggregation. */
export const exactly = (name: string, scaleBits: number, length = 1): Lane => ({
  name,
  length,
  encoding: { kind: "exact", scaleBits },
});

/** A vector of which the weighted mean is wanted. */
export const meanOf = (name: string, length: number, { clip, bits }: { clip: number; bits: number }): Lane => ({
  name,
  length,
  encoding: { kind: "update", clip, bits },
});

/** What every device's training reports beside its update, in this order. */
export const trainingLanes: readonly Lane[] = [exactly("examples", 0), exactly("lossSum", 10)];
