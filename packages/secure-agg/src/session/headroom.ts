import { ProtocolError } from "@tributary/protocol";
import type { SecureLane } from "./parameters.ts";

/** Words of one `exact` value: three limbs of 16 bits. */
export const limbsPerValue = 3;
/** The largest integer of an `exact` lane, over the whole sum: 48 bits with sign. */
export const exactLimit = 2 ** 47 - 1;

/** The largest magnitude of one quantised value: 2^(q−1) − 1. */
export function levelsOf(bits: number): number {
  return 2 ** (bits - 1) - 1;
}

type Shape = { readonly clients: number; readonly weightLevels: number; readonly lanes: readonly SecureLane[] };

/** The fewest bits of a word in which no sum of a whole cohort wraps; may exceed 32, which `checkHeadroom` refuses. */
export function wordBitsNeeded({ clients, weightLevels, lanes }: Shape): number {
  const bits = lanes.map(({ encoding }) =>
    encoding.kind === "update"
      ? 1 + bitsOf(clients * weightLevels * levelsOf(encoding.bits))
      : bitsOf(clients * 0xffff),
  );
  // The weights are a lane too.
  return Math.max(bitsOf(clients * weightLevels), ...bits);
}

/** Throws `ProtocolError("secure_parameters")` if n · W · (2^(q−1) − 1) > 2^(b−1) − 1 in any lane: a hard error. */
export function checkHeadroom(parameters: Shape & { readonly wordBits: number }): void {
  const needed = wordBitsNeeded(parameters);
  if (needed <= parameters.wordBits && parameters.wordBits <= 32) return;
  const found = `sums of ${parameters.clients} clients with weights up to ${parameters.weightLevels} need ${needed} bits`;
  const mend = "take fewer bits a value, fewer weight levels or a smaller cohort";
  throw new ProtocolError("secure_parameters", `${found}, a word has ${Math.min(32, parameters.wordBits)}: ${mend}`);
}

/** Words of the vector before padding: every lane's, and one for the weight where there is an `update` lane. */
export function wordsOf(lanes: readonly SecureLane[]): number {
  const words = lanes.reduce((sum, lane) => sum + wordsOfLane(lane), 0);
  return words + (hasWeight(lanes) ? 1 : 0);
}

/** Whether contributions are weighted: whether any lane is a mean. */
export function hasWeight(lanes: readonly SecureLane[]): boolean {
  return lanes.some(({ encoding }) => encoding.kind === "update");
}

export function wordsOfLane({ length, encoding }: SecureLane): number {
  return encoding.kind === "update" ? length : limbsPerValue * length;
}

/** Bits of an integer ≥ 0, exact below 2⁵³. */
function bitsOf(value: number): number {
  let bits = 0;
  while (2 ** bits <= value) bits++;
  return bits;
}
