import { encodeReveal, type RevealedShare } from "../message/reveal.ts";
import type { Masked } from "./mask.ts";

/**
 * One kind of share per dealer, decided by this device's own record of the survivors: b of those that survived, s of
 * those that did not (fig. 4, round 4). Internal: only `unmask` may call it, after the neighbours have confirmed.
 */
export function revealShares(state: Omit<Masked, "phase">, survivors: ReadonlySet<number>): Uint8Array {
  const { graph, me, sharers, held, sessionId } = state;
  // The graph is symmetric: those whose shares this device holds are those that hold its own.
  const dealers = graph.holders(me).filter((dealer) => sharers.has(dealer));
  const shares = dealers.map((dealer): RevealedShare => {
    const dealt = held.get(dealer);
    if (dealt === undefined) return { kind: "none" };
    return survivors.has(dealer) ? { kind: "seed", value: dealt.seedShare } : { kind: "key", value: dealt.keyShare };
  });
  return encodeReveal(sessionId, shares);
}
