import { ProtocolError } from "@tributary/protocol";
import { hasWeight, levelsOf, wordsOf, wordsOfLane } from "../session/headroom.ts";
import type { SecureLane, SessionParameters } from "../session/parameters.ts";

/** What the coordinator learns, and all it learns. */
export interface SecureTotal {
  /** `update` lanes as weighted means, `exact` lanes as sums, by name. */
  readonly lanes: Readonly<Record<string, Float64Array>>;
  /** The sum of the integer weights times weightCap / W: about the number of examples; 0 without `update` lanes. */
  readonly weight: number;
  readonly contributors: number;
}

type Decoding = Pick<SessionParameters, "lanes" | "wordBits" | "weightLevels" | "weightCap">;

/**
 * The total that unmasked words stand for. Throws `ProtocolError("secure_sum")` when no valid contributions add up to
 * them: masks that did not cancel, or a client that sent something else than it should.
 */
export function decodeSum(parameters: Decoding, words: Uint32Array, contributors: number): SecureTotal {
  const { lanes, wordBits, weightLevels } = parameters;
  const mask = wordBits === 32 ? 0xffff_ffff : 2 ** wordBits - 1;
  const length = wordsOf(lanes);
  for (let i = length; i < words.length; i++) if ((words[i]! & mask) !== 0) outOfRange("the padding", "zero");
  const weighted = hasWeight(lanes);
  const weightSum = weighted ? (words[length - 1]! & mask) >>> 0 : 0;
  if (weighted && (weightSum < contributors || weightSum > contributors * weightLevels)) {
    outOfRange("the weight", `${contributors} … ${contributors * weightLevels}`);
  }
  const decoded: Record<string, Float64Array> = {};
  let from = 0;
  for (const lane of lanes) {
    const part = words.subarray(from, from + wordsOfLane(lane));
    decoded[lane.name] =
      lane.encoding.kind === "update"
        ? decodeUpdate(lane, { part, wordBits, weightSum })
        : decodeExact(lane, { part, mask, contributors });
    from += part.length;
  }
  return { lanes: decoded, weight: (weightSum * parameters.weightCap) / weightLevels, contributors };
}

function decodeUpdate(lane: SecureLane, sum: { part: Uint32Array; wordBits: number; weightSum: number }): Float64Array {
  if (lane.encoding.kind !== "update") return new Float64Array(0);
  const { clip, bits } = lane.encoding;
  const levels = levelsOf(bits);
  const limit = sum.weightSum * levels;
  const shift = 32 - sum.wordBits;
  const unit = clip / (levels * sum.weightSum);
  const { part } = sum;
  const means = new Float64Array(part.length);
  for (let i = 0; i < part.length; i++) {
    const integer = (part[i]! << shift) >> shift;
    if (integer > limit || integer < -limit) outOfRange(`lane ${lane.name}`, `at most ${limit} of either sign`);
    means[i] = integer * unit;
  }
  return means;
}

function decodeExact(lane: SecureLane, sum: { part: Uint32Array; mask: number; contributors: number }): Float64Array {
  if (lane.encoding.kind !== "exact") return new Float64Array(0);
  const limit = sum.contributors * 0xffff;
  const unit = 2 ** -lane.encoding.scaleBits;
  const limb = (index: number) => {
    const word = (sum.part[index]! & sum.mask) >>> 0;
    if (word > limit) outOfRange(`lane ${lane.name}`, `limbs of at most ${limit}`);
    return word;
  };
  return Float64Array.from({ length: lane.length }, (_, i) => {
    const low = limb(3 * i);
    const middle = limb(3 * i + 1) + Math.floor(low / 65_536);
    const high = (limb(3 * i + 2) + Math.floor(middle / 65_536)) % 65_536;
    const integer = high * 2 ** 32 + (middle % 65_536) * 65_536 + (low % 65_536);
    return (integer >= 2 ** 47 ? integer - 2 ** 48 : integer) * unit;
  });
}

function outOfRange(what: string, expected: string): never {
  throw new ProtocolError("secure_sum", `${what} of the sum is out of range: expected ${expected}`);
}
