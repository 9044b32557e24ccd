import { ProtocolError } from "@tributary/protocol";
import type { Graph } from "../graph/graph.ts";

/** How many of a set hold shares of `member`; on a complete graph a member counts itself (amendment 1). */
export function holdersWithin(graph: Graph, member: number, set: ReadonlySet<number>): number {
  return graph.holders(member).filter((holder) => set.has(holder)).length;
}

/** The peers of a member within a set, ascending. */
export function peersWithin(graph: Graph, member: number, set: ReadonlySet<number>): number[] {
  return graph.peers(member).filter((peer) => set.has(peer));
}

/** Throws `ProtocolError("secure_too_few")` unless `found` clients are as many as `needed`. */
export function requireEnough(found: number, needed: number, what: string): void {
  if (found >= needed) return;
  throw new ProtocolError("secure_too_few", `${what}: ${found}, and at least ${needed} are needed`);
}
