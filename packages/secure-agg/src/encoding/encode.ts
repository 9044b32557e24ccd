import { ProtocolError } from "@tributary/protocol";
import { type MaskKernel, paddedLength } from "../kernel/kernel.ts";
import { type WordStream, wordStream } from "../kernel/keystream.ts";
import { exactLimit, hasWeight, levelsOf, wordsOf, wordsOfLane } from "../session/headroom.ts";
import type { SecureLane, SessionParameters } from "../session/parameters.ts";

/** What a device adds to the sum: all lanes one after the other, and how many examples they come from. */
export interface PlainContribution {
  readonly values: Float32Array | Float64Array;
  readonly weight: number;
}

type Encoding = Pick<SessionParameters, "lanes" | "clients" | "weightLevels" | "weightCap">;

/**
 * The contribution as words mod 2³², padded with zeros to whole vectors of the kernel. Rounding is stochastic and
 * unbiased (Kairouz, Liu and Steinke 2021, §4), its coins the ChaCha20 stream of a fresh 32-byte `seed`.
 * Throws `ProtocolError("bad_update")` for a value that is not finite or too large for its lane.
 */
export function encodeContribution(
  parameters: Encoding,
  contribution: PlainContribution,
  rounding: { kernel: MaskKernel; seed: Uint8Array },
): Uint32Array {
  const { lanes } = parameters;
  const { values } = contribution;
  const expected = lanes.reduce((sum, { length }) => sum + length, 0);
  if (values.length !== expected) refuse(`a contribution has ${values.length} values, its lanes ${expected}`);
  const words = new Uint32Array(paddedLength(wordsOf(lanes)));
  const coins = wordStream(rounding.kernel, rounding.seed);
  const weight = hasWeight(lanes) ? integerWeight(parameters, contribution.weight, coins) : 1;
  let from = 0;
  let to = 0;
  for (const lane of lanes) {
    const source = values.subarray(from, from + lane.length);
    const target = words.subarray(to, to + wordsOfLane(lane));
    if (lane.encoding.kind === "update") encodeUpdate(lane, { source, target, weight, coins });
    else encodeExact(lane, { source, target, clients: parameters.clients });
    from += lane.length;
    to += target.length;
  }
  if (hasWeight(lanes)) words[to] = weight;
  return words;
}

/**
 * W · min(1, examples / weightCap), rounded to one of the two integers beside it so that its mean is right, and at least
 * 1: a sum in which only the largest device had a weight would be that device's own update.
 */
function integerWeight({ weightLevels, weightCap }: Encoding, examples: number, coins: WordStream): number {
  if (!(Number.isFinite(examples) && examples >= 0)) refuse(`a weight of ${examples}: expected a finite number ≥ 0`);
  return Math.max(1, Math.floor(weightLevels * Math.min(1, examples / weightCap) + coin(coins.next())));
}

interface UpdatePart {
  readonly source: Float32Array | Float64Array;
  readonly target: Uint32Array;
  readonly weight: number;
  readonly coins: WordStream;
}

function encodeUpdate(lane: SecureLane, { source, target, weight, coins }: UpdatePart): void {
  if (lane.encoding.kind !== "update") return;
  const { clip, bits } = lane.encoding;
  const levels = levelsOf(bits);
  const scale = levels / clip;
  for (let start = 0; start < source.length; ) {
    const drawn = coins.take(source.length - start);
    for (let i = 0; i < drawn.length; i++) {
      const value = source[start + i]!;
      // NaN and both infinities, before anything is rounded.
      if (value - value !== 0) refuse(`lane ${lane.name}, value ${start + i}: ${value}; expected a finite number`);
      const clipped = value > clip ? clip : Math.max(value, -clip);
      const level = Math.floor(clipped * scale + levels + coin(drawn[i]!)) - levels;
      target[start + i] = Math.imul(level, weight);
    }
    start += drawn.length;
  }
}

function encodeExact(
  lane: SecureLane,
  part: { source: Float32Array | Float64Array; target: Uint32Array; clients: number },
): void {
  if (lane.encoding.kind !== "exact") return;
  const scale = 2 ** lane.encoding.scaleBits;
  // A whole cohort of such values stays within 48 bits.
  const limit = Math.floor(exactLimit / part.clients);
  part.source.forEach((value, i) => {
    const integer = Math.round(value * scale);
    if (!(Math.abs(integer) <= limit)) {
      refuse(`lane ${lane.name}, value ${i}: ${value}; expected a finite number up to ${limit / scale}`);
    }
    const wrapped = integer < 0 ? integer + 2 ** 48 : integer;
    part.target[3 * i] = wrapped % 65_536;
    part.target[3 * i + 1] = Math.floor(wrapped / 65_536) % 65_536;
    part.target[3 * i + 2] = Math.floor(wrapped / 2 ** 32);
  });
}

/** A uniform number in [0, 1) of 24 bits: added to a level of up to 24 bits it is still exact in a double. */
function coin(word: number): number {
  return (word >>> 8) / 16_777_216;
}

function refuse(detail: string): never {
  throw new ProtocolError("bad_update", detail);
}
