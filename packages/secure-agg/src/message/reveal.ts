import { malformed } from "../crypto/bytes.ts";
import { openMessage, readMessage } from "./header.ts";

/** What a client reveals about one other: a share of b if that one survived, of s if it left; never both. */
export type RevealedShare =
  | { readonly kind: "none" }
  | { readonly kind: "seed"; readonly value: Uint8Array }
  | { readonly kind: "key"; readonly value: Uint8Array };

const codes = { none: 0, seed: 1, key: 2 } as const;

/** R4, client → coordinator: one entry per dealer whose envelope it was sent (and itself), ascending. */
export function encodeReveal(sessionId: Uint8Array, shares: readonly RevealedShare[]): Uint8Array {
  const writer = openMessage("reveal", sessionId, 64 + 33 * shares.length);
  for (const share of shares) {
    writer.u8(codes[share.kind]);
    if (share.kind !== "none") writer.raw(share.value);
  }
  return writer.finish();
}

export function decodeReveal(sessionId: Uint8Array, bytes: Uint8Array, count: number): RevealedShare[] {
  const reader = readMessage("reveal", sessionId, bytes);
  const shares = Array.from({ length: count }, (): RevealedShare => {
    switch (reader.u8()) {
      case codes.none:
        return { kind: "none" };
      case codes.seed:
        return { kind: "seed", value: reader.view(32) };
      case codes.key:
        return { kind: "key", value: reader.view(32) };
      default:
        return malformed("reveal", "a share of kind 0, 1 or 2", "another");
    }
  });
  reader.finish();
  return shares;
}
