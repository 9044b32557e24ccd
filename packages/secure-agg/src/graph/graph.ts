import { ProtocolError } from "@tributary/protocol";
import { labelledHash } from "../crypto/derive.ts";
import { wordStream } from "../kernel/keystream.ts";
import { portableKernel } from "../kernel/portable-kernel.ts";
import { defaultAim, findDegree, type GraphAim } from "./degree.ts";

/** Up to this many clients everyone is everyone's neighbour. */
export const completeGraphLimit = 150;
/** GF(256) has 255 points other than zero, and a circulant degree is even. */
export const neighboursLimit = 254;

/** Who masks with whom, and who holds whose shares. */
export type GraphShape = { readonly kind: "complete" } | { readonly kind: "circulant"; readonly neighbours: number };

/** The graph on a roster; members are roster indices. Every member computes it alone and gets the same. */
export interface Graph {
  readonly size: number;
  /** Whom a member shares pairwise masks with, ascending. */
  peers(member: number): readonly number[];
  /** Who holds shares of a member's secrets, ascending; the holder at position i has the share at x = i + 1. */
  holders(member: number): readonly number[];
  /** The x of `holder`'s share of `dealer`'s secrets: holders(dealer).indexOf(holder) + 1, for a holder of that dealer. */
  shareIndex(dealer: number, holder: number): number;
}

/** The graph's shape and threshold for a cohort: §A.1 and amendment 1. Undefined where the cohort must be sharded. */
export function planGraph(
  clients: number,
  aim: GraphAim = defaultAim,
): { readonly shape: GraphShape; readonly threshold: number } | undefined {
  if (clients <= completeGraphLimit) return { shape: { kind: "complete" }, threshold: completeThreshold(clients) };
  const degree = findDegree(clients, aim);
  if (degree === undefined || degree.neighbours > neighboursLimit) return undefined;
  return { shape: { kind: "circulant", neighbours: degree.neighbours }, threshold: degree.threshold };
}

/** t = ⌊2n / 3⌋ + 1, oneself counted: two survivor sets that both reach it share more than a third of the cohort. */
export function completeThreshold(clients: number): number {
  return Math.floor((2 * clients) / 3) + 1;
}

/**
 * The session's graph: complete, or circulant over a permutation that the configuration and the roster decide, so that
 * a coordinator chooses nobody's neighbours. Throws `ProtocolError("secure_too_few")` when the roster cannot carry it.
 */
export function graphOf(shape: GraphShape, roster: { size: number; hash: Uint8Array; configHash: Uint8Array }): Graph {
  const { size } = roster;
  if (shape.kind === "complete") {
    const everyone = Array.from({ length: size }, (_, i) => i);
    const others = remember((member) => everyone.filter((i) => i !== member));
    return { size, peers: others, holders: () => everyone, shareIndex: (_, holder) => holder + 1 };
  }
  const { neighbours } = shape;
  if (size <= neighbours + 1) {
    const found = `${size} clients for a graph of ${neighbours} neighbours each`;
    throw new ProtocolError("secure_too_few", `${found}: at least ${neighbours + 2} are needed`);
  }
  const ring = permutation(size, labelledHash("SA1/graph", roster.configHash, roster.hash));
  const place = new Uint32Array(size);
  ring.forEach((member, i) => {
    place[member] = i;
  });
  const half = neighbours / 2;
  const peers = remember((member) => {
    const found: number[] = [];
    for (let step = 1; step <= half; step++) {
      found.push(ring[(place[member]! + step) % size]!, ring[(place[member]! - step + size) % size]!);
    }
    return found.sort((a, b) => a - b);
  });
  // Counted, not looked up: a device asks for the rank among many dealers' holders, and would remember all of them.
  const shareIndex = (dealer: number, holder: number) => {
    let rank = 1;
    for (let step = 1; step <= half; step++) {
      if (ring[(place[dealer]! + step) % size]! < holder) rank++;
      if (ring[(place[dealer]! - step + size) % size]! < holder) rank++;
    }
    return rank;
  };
  return { size, peers, holders: peers, shareIndex };
}

function remember(neighboursOf: (member: number) => readonly number[]): (member: number) => readonly number[] {
  const known = new Map<number, readonly number[]>();
  return (member) => {
    const found = known.get(member) ?? neighboursOf(member);
    known.set(member, found);
    return found;
  };
}

/** Fisher and Yates, drawing from the ChaCha20 stream of `seed` with rejection. */
function permutation(size: number, seed: Uint8Array): Uint32Array {
  const stream = wordStream(portableKernel(), seed);
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const bound = i + 1;
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let drawn = stream.next();
    while (drawn >= limit) drawn = stream.next();
    const j = drawn % bound;
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
